#pragma once

#include <optional>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "net/offload.hpp"
#include "registry/options.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::registry {

/// Lists a service from the agent's HTTP API, for answers that even DNS over TCP trims:
/// /v1/health/service/NAME?stale. Tags are matched as Consul's DNS matches them, without case, by
/// the agent (tag=) and once more here, as an agent that ignores the parameter would list too much.
/// Any failure is nullopt, logged at most once a minute. Thread-safety: none; one per worker, on
/// its executor; listings are read on `offload`, where there is one.
class ConsulCompleter : public resolver::Completer {
 public:
  ConsulCompleter(net::Executor executor, ConsulHttp options, Logger& logger,
                  net::Offload* offload = nullptr);

  /// Another agent or token (reload), for listings from now on.
  void set_options(ConsulHttp options);

  net::Awaitable<std::optional<InstanceList>> complete(const resolver::ConsulSource& source,
                                                       const std::vector<std::string>& tags,
                                                       TimePoint deadline) override;

 private:
  void complain(const std::string& service, const std::string& problem);

  net::Executor executor_;
  ConsulHttp options_;
  std::optional<http::ClientTarget> target_;
  Logger& logger_;
  net::Offload* offload_;
  std::optional<TimePoint> complained_;
};

}  // namespace pilotfish::registry
