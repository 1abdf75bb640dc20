#pragma once

#include <string>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// `report.html`: one page with everything, opened from disk without a network: no script, no font,
/// nothing from elsewhere. Light and dark as the reader's system is; wide and narrow. Pure.
[[nodiscard]] std::string report_html(const RunResult& result);

}  // namespace pilotfish::bench
