#pragma once

#include <string>

#include "app/merge_status.hpp"
#include "proxy/options.hpp"

namespace pilotfish::app {

/// What `pilotfish resolve` prints: the lookups of each tier, every instance with why it is or is
/// not eligible, and which tier would serve and why. Pure.
[[nodiscard]] std::string resolve_report(const proxy::UpstreamOptions& options,
                                         const MergedUpstream& upstream);

}  // namespace pilotfish::app
