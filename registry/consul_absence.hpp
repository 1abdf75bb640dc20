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

/// Why a tier with these tags (all needed) has no instance, for people: an unknown service, an
/// unknown tag, or instances that are all critical or under maintenance. Pure.
std::string explain(const Absence& absence, const resolver::ConsulSource& source,
                    const std::vector<std::string>& tags);

}  // namespace pilotfish::registry
