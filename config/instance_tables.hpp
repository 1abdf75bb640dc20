#pragma once

#include "config/codec.hpp"
#include "proxy/options.hpp"

namespace pilotfish::config {

// What an upstream asks its instances, and says to them.
[[nodiscard]] Codec<proxy::ActiveCheck> active_check();  ///< kNone is not written
[[nodiscard]] Codec<proxy::HostRule> host_rule();

}  // namespace pilotfish::config
