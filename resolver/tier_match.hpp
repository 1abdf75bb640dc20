#pragma once

#include <string>
#include <utility>
#include <vector>

#include "resolver/options.hpp"

namespace pilotfish::resolver {

/// Whether an instance with these tags and this `Meta` (key and value) is one that the tier asks
/// for: all of its tags and none of those under `not`, without regard to case, and each of `meta`,
/// word for word. Datacenters aside. Pure.
[[nodiscard]] bool fits(const ConsulTier& tier, const std::vector<std::string>& tags,
                        const std::vector<std::pair<std::string, std::string>>& meta);

}  // namespace pilotfish::resolver
