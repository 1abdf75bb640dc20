#pragma once

#include <vector>

#include "proxy/options.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::app {

/// The services that upstreams with `fresh: watch` need: what ConsulWatches is to watch. Pure.
[[nodiscard]] std::vector<resolver::WatchKey> watched_services(
    const std::vector<proxy::UpstreamOptions>& upstreams);

}  // namespace pilotfish::app
