#pragma once

#include <string>

namespace pilotfish::metrics {

/// The metrics reference in Markdown, generated from kFamilies: docs/metrics.md.
[[nodiscard]] std::string reference_markdown();

}  // namespace pilotfish::metrics
