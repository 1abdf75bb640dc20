#pragma once

#include <string>
#include <vector>

#include "net/asio.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/options.hpp"
#include "resolver/options.hpp"

namespace pilotfish::registry {

/// What the agent's API knows of a service whose name DNS denies (NXDOMAIN stands for an unknown
/// service, an unknown tag and instances that are all critical alike).
struct Absence {
  std::vector<Presence> present;
  std::string problem;  ///< set: the API could not tell, and why
};

/// One request, /v1/health/service/NAME?stale. Does not throw. Thread-safety: runs on `executor`.
net::Awaitable<Absence> ask_absence(net::Executor executor, ConsulHttp options,
                                    resolver::ConsulSource source, TimePoint deadline);

/// Why a tier has no instance, for people: `unknown service "biling"`, `no instance with tag "v9"
/// (there are: v3, v4)`, `all 3 instances are critical`. Pure.
std::string explain(const Absence& absence, const resolver::ConsulSource& source,
                    const resolver::ConsulTier& tier);

}  // namespace pilotfish::registry
