#pragma once

#include <string>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// What this machine is and how busy it is at this moment.
[[nodiscard]] MachineInfo this_machine();
/// The time of day in UTC: `2026-03-01T12:00:00Z`.
[[nodiscard]] std::string utc_now();
/// `0.1.0 (commit)` of this program.
[[nodiscard]] std::string lab_version();

}  // namespace pilotfish::bench
