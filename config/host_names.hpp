#pragma once

#include <vector>

#include "config/codec.hpp"
#include "resolver/options.hpp"

namespace pilotfish::config {

/// `hosts:` names with a port; several are ordered tiers.
[[nodiscard]] Codec<std::vector<resolver::HostPort>> host_names();

}  // namespace pilotfish::config
