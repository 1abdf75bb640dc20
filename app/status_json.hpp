#pragma once

#include <string>

#include "app/merge_status.hpp"
#include "core/clock.hpp"

namespace pilotfish::app {

/// The body of /upstreams and of `pilotfish resolve --json`, with a newline.
/// Keys beyond the contract follow those it names. Pure; `now` is what ages are counted from.
[[nodiscard]] std::string upstreams_json(const MergedStatus& status, TimePoint now);

}  // namespace pilotfish::app
