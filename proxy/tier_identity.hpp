#pragma once

#include <string>
#include <vector>

#include "resolver/options.hpp"

namespace pilotfish::proxy {

/// What makes a tier the same one after a reload: the names that are asked for it, wherever it
/// stands in the order. One per tier, best first. Pure.
[[nodiscard]] std::vector<std::string> tier_identities(const resolver::Source& source,
                                                       const std::string& consul_domain);

/// For each of `fresh` its place in `known`, or -1. Each of `known` is used once. Pure.
[[nodiscard]] std::vector<int> match_tiers(const std::vector<std::string>& known,
                                           const std::vector<std::string>& fresh);

}  // namespace pilotfish::proxy
