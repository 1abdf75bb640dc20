#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "balancer/check_verdict.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/deadlines.hpp"
#include "proxy/check_feed.hpp"
#include "proxy/options.hpp"
#include "proxy/trouble_log.hpp"

namespace pilotfish::proxy {

using CheckVerdictsPtr = std::shared_ptr<const std::vector<balancer::CheckVerdict>>;

/// The active checks of a process: probes every instance of the upstreams that have a `check:` once
/// for all workers, which tell it whom there is and hear of every change of a verdict. At most
/// kAtOnce probes of an upstream run at a time; where that does not suffice, intervals stretch.
/// An instance that no worker has in an answer any more is not probed, and forgotten.
/// Ownership: `logger` outlives it. Thread-safety: none; its executor's thread (the main one).
class HealthChecks {
 public:
  static constexpr std::size_t kAtOnce = 32;
  /// Verdicts that changed, for every worker.
  using Publish = std::function<void(const std::string& upstream, const CheckVerdictsPtr& news)>;

  HealthChecks(net::Executor executor, Logger& logger, std::uint64_t seed, Publish publish);
  ~HealthChecks();
  HealthChecks(const HealthChecks&) = delete;
  HealthChecks& operator=(const HealthChecks&) = delete;

  /// Start, or a reload: verdicts of upstreams that stay checked are kept. Before the workers hear
  /// of the same options.
  void set_upstreams(const std::vector<UpstreamOptions>& upstreams);
  /// What `worker` told its CheckFeed.
  void changed(std::size_t worker, const std::string& upstream, std::vector<CheckTarget> arrived,
               std::vector<Endpoint> left);

 private:
  class Group;
  net::Executor executor_;
  Logger& logger_;
  net::Deadlines deadlines_;
  TroubleLog trouble_;
  std::uint64_t seed_;
  Publish publish_;
  std::vector<std::shared_ptr<Group>> groups_;
};

}  // namespace pilotfish::proxy
