#pragma once

#include <string>
#include <vector>

#include "config/root_options.hpp"

namespace pilotfish::config {

/// The keys on which two configurations differ, as paths like "upstreams.billing.limits.pending",
/// in the order of the reference. A map entry that only one of them has counts as one path. From
/// the field tables, so that no key can be forgotten; the agent's token, which no key has, is
/// "consul.token".
[[nodiscard]] std::vector<std::string> differences(const RootOptions& a, const RootOptions& b);

}  // namespace pilotfish::config
