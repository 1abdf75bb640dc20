#pragma once

#include <optional>
#include <string>

#include "core/endpoint.hpp"
#include "registry/options.hpp"

namespace pilotfish::registry {

struct SelfAnnouncement {
  Announcement announcement;
  std::string warning;  ///< empty where others can reach the admin port
};

/// Fills a `self: true` entry in from the admin endpoint: port, address (unless one is given, or
/// the port is bound to every address), and an HTTP check every 2 s with timeout 1 s: of /ready in
/// Consul, where a critical instance is still listed, and of /health in etcd, where a failed check
/// withdraws: Prometheus must find the sidecar in the very incident that makes it not ready.
SelfAnnouncement fill_self(Announcement announcement, const Endpoint& admin);

}  // namespace pilotfish::registry
