#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "http/client.hpp"
#include "net/offload.hpp"
#include "registry/consul_health_codec.hpp"
#include "registry/options.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::registry {

/// What DNS leaves open, from the agent's HTTP API: a service's whole list, for answers that even
/// DNS over TCP trims (/v1/health/service/NAME?stale), and whether what DNS denies is gone (the
/// same without `stale`: the leader's word, as a server that restarts answers from half a
/// catalogue). Tags are matched as Consul's DNS matches them, without case, by the agent (tag=) and
/// once more here, as an agent that ignores the parameter would list too much. Warning instances
/// are listed where the agent's DNS lists them (only_passing). Any failure of a listing is nullopt,
/// logged at most once a minute. Thread-safety: none; one per worker, on its executor; listings are
/// read on `offload`, where there is one.
class ConsulCompleter : public resolver::Completer {
 public:
  ConsulCompleter(net::Executor executor, ConsulHttp options, Logger& logger,
                  net::Offload* offload = nullptr);

  /// Another agent or token (reload), for listings from now on.
  void set_options(ConsulHttp options);

  net::Awaitable<std::optional<InstanceList>> complete(const resolver::ConsulSource& source,
                                                       const std::vector<std::string>& tags,
                                                       TimePoint deadline) override;
  /// Only passing instances count, as DNS may be told to name no others. An empty list that the
  /// agent thinned out, or that a token may be missing for, tells nothing. 401, 403 and 5xx are
  /// kFailed; so is an agent that hangs because it knows no leader: nothing can have left then.
  /// A refused connection is tried again for a quarter of the time until the deadline.
  net::Awaitable<resolver::AbsenceVerdict> confirm_absence(const resolver::ConsulSource& source,
                                                           const std::vector<std::string>& tags,
                                                           TimePoint deadline) override;

 private:
  enum class Consistency : std::uint8_t { kStale, kDefault };
  net::Awaitable<http::ClientResult> ask(const resolver::ConsulSource& source,
                                         const std::vector<std::string>& tags, Consistency how,
                                         TimePoint deadline);
  net::Awaitable<std::optional<HealthListing>> read(std::string body, std::vector<std::string> tags,
                                                    bool only_passing);
  net::Awaitable<bool> only_passing(TimePoint deadline);
  void complain(const std::string& service, const std::string& problem);

  net::Executor executor_;
  ConsulHttp options_;
  std::optional<http::ClientTarget> target_;
  Logger& logger_;
  net::Offload* offload_;
  std::optional<TimePoint> complained_;
  std::optional<TimePoint> asked_;  // what follows was asked then
  bool only_passing_ = false;
};

}  // namespace pilotfish::registry
