#include "app/watched_services.hpp"

namespace pilotfish::app {

std::vector<resolver::WatchKey> watched_services(
    const std::vector<proxy::UpstreamOptions>& upstreams) {
  std::vector<resolver::WatchKey> services;
  for (const auto& upstream : upstreams) {
    const auto* consul = std::get_if<resolver::ConsulSource>(&upstream.source);
    if (consul != nullptr && upstream.fresh == resolver::Freshness::kWatch) {
      services.push_back(resolver::watch_key(*consul));
    }
  }
  return services;
}

}  // namespace pilotfish::app
