#include "app/watched_services.hpp"

#include "proxy/selection.hpp"

namespace pilotfish::app {

std::vector<resolver::WatchKey> watched_services(
    const std::vector<proxy::UpstreamOptions>& upstreams) {
  std::vector<resolver::WatchKey> services;
  for (const auto& upstream : upstreams) {
    const auto asked = proxy::asked_source(upstream.source, upstream.cluster.split);
    const auto* consul = std::get_if<resolver::ConsulSource>(&asked);
    if (consul != nullptr && upstream.fresh == resolver::Freshness::kWatch) {
      for (auto& key : resolver::watch_keys(*consul)) {
        services.push_back(std::move(key));
      }
    }
  }
  return services;
}

}  // namespace pilotfish::app
