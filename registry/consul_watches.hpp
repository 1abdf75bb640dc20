#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/log.hpp"
#include "net/asio.hpp"
#include "registry/options.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::registry {

/// `fresh: watch`: one blocking query per service for the whole process (see ConsulWatcher), and
/// one small probe while all of them wait, since an agent that hangs looks like one without news:
/// where it answered nothing for 2 s, GET / (no ACL, asks no server, any answer will do) gets 3 s;
/// without an answer every watch fails and DNS takes over, until the probe, repeated, is answered.
/// What WatchBudget does not allow is left to DNS: the last of the desired services, with one log
/// line when that begins and one when it is over. Before the first query, and whenever a watch is
/// back, the agent is asked whether its DNS leaves out warning instances (only_passing).
/// Thread-safety: none; lives on the main thread's executor. After destruction nothing touches the
/// logger or `publish` any more.
class ConsulWatches {
 public:
  static constexpr Duration kProbeEvery = std::chrono::seconds(2);
  static constexpr Duration kProbeTimeout = std::chrono::seconds(3);
  /// For /v1/agent/self; a watch begins without its answer then.
  static constexpr Duration kAskSelfTimeout = std::chrono::seconds(2);

  /// Called on the executor for each state of each service; null when it is watched no more.
  using Publish = std::function<void(const resolver::WatchKey&, resolver::WatchStatePtr)>;

  ConsulWatches(net::IoContext& io, ConsulHttp options, Logger& logger, std::uint64_t seed,
                Publish publish);
  ~ConsulWatches();
  ConsulWatches(const ConsulWatches&) = delete;
  ConsulWatches& operator=(const ConsulWatches&) = delete;

  /// Another agent or token (reload): every query begins anew there; until it has answered, what
  /// the former agent said last holds.
  void set_options(ConsulHttp options);

  /// The services to watch from now on; may be called again at any time (reload). What stays is
  /// left alone. Repeated keys count once.
  void set_desired(const std::vector<resolver::WatchKey>& services);

  /// The agent takes no more connections from this machine, and somebody else needs one: fewer
  /// services are watched from now on, at once.
  void give_way();

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace pilotfish::registry
