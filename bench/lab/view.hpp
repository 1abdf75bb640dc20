#pragma once

#include <optional>
#include <string>

#include "bench/harness/admin_view.hpp"
#include "bench/lab/script.hpp"
#include "bench/lab/table.hpp"
#include "bench/lab/world.hpp"

namespace pilotfish::bench {

/// The sidecar's configuration for the demo; `verbose`: it logs each request. Pure.
[[nodiscard]] std::string demo_configuration(const Endpoint& admin, const Endpoint& listen,
                                             const Endpoint& registry, const DemoPlan& plan,
                                             bool verbose);

/// `tier 1 (v3) since 0.4s`. Pure.
[[nodiscard]] std::string serving_text(int tier, Duration since);

/// A member's row: what the registry says, what the sidecar sees, what the traffic shows.
/// `has_sidecar` false: there is nobody who could see.
[[nodiscard]] TableRow member_row(const Member& member, const std::optional<UpstreamView>& upstream,
                                  bool has_sidecar, const TrafficFigures& traffic);

}  // namespace pilotfish::bench
