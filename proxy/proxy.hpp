#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "balancer/check_verdict.hpp"
#include "core/log.hpp"
#include "core/tier_answer.hpp"
#include "metrics/store.hpp"
#include "net/asio.hpp"
#include "proxy/access_log.hpp"
#include "proxy/options.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::proxy {

/// One instance as /upstreams shows it; plain values, so that they may cross threads.
struct InstanceStatus {
  std::string address;
  std::uint32_t weight = 1;
  std::uint32_t priority = 0;
  std::vector<std::string> tags;
  int tier = -1;
  std::string state;  ///< healthy | unhealthy | ejected | draining | absent
  std::string why;
  std::uint64_t in_flight = 0;
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
};

/// One upstream as /upstreams, /ready and `pilotfish resolve` show it.
struct UpstreamStatus {
  std::string name;
  bool required = true;
  int tier = -1;
  std::string reason;
  std::int64_t age_ms = -1;  ///< of the serving tier's answer; -1 where there is none
  std::vector<std::string> tier_names;
  std::vector<InstanceStatus> instances;
  std::vector<TierAnswer> answers;  ///< newest per tier, failures included
};

class CheckFeed;
class Preparer;

/// What several workers share. All of it outlives the workers.
struct Shared {
  Logger* logger = nullptr;
  AccessLog* access_log = nullptr;           ///< nullptr: off
  resolver::Completer* completer = nullptr;  ///< per worker, may be nullptr
  Preparer* preparer = nullptr;     ///< for large answers; nullptr: all is done on the worker
  CheckFeed* check_feed = nullptr;  ///< per worker; nullptr: nobody checks
  std::uint32_t worker_count = 1;
  std::uint32_t max_clients = 10000;  ///< in all; divided among the workers
  /// Pipes that bulk may be spliced through, in all; each is two descriptors that no client needs.
  std::uint32_t max_pipes = 64;
  resolver::ConsulDns consul_dns;
  std::uint64_t seed = 0;
  bool log_tries = false;  ///< one line per try, at level debug
  /// Instances of an upstream are missing, and none of the workers knows why (Proxy::explain());
  /// called on the worker's thread, when that changes and every few seconds while none serves.
  std::function<void(const std::string& upstream)> on_missing{};
};

/// A worker is a whole proxy: listeners, resolver, balancers, pools and metrics on one io_context.
/// Thread-safety: none; every method runs on the worker's own thread (app/ posts).
class Proxy {
 public:
  Proxy(net::IoContext& io, Shared shared, metrics::Store& store);
  ~Proxy();
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;

  /// A listening socket for an upstream, already bound; ownership of the descriptor passes.
  struct Listener {
    std::string upstream;
    int descriptor = -1;     ///< in an Update, -1: the socket that `id` has already
    bool inherited = false;  ///< somebody else listens on the same socket, before and after us
    std::string id{};        ///< what a reload knows it by
  };
  /// Last good answers of a former run, one per tier of an upstream; only kOk ones are taken.
  /// They serve until a lookup answers, and while lookups fail.
  struct Seed {
    std::string upstream;
    std::vector<TierAnswer> tiers;
  };
  /// Starts upstreams and listeners. Lookups of every tier begin at once.
  void start(std::vector<UpstreamOptions> upstreams, std::vector<Listener> listeners,
             const std::vector<Seed>& seeds = {});
  /// What there is after a reload. The same for every worker.
  struct Update {
    std::vector<UpstreamOptions> upstreams;
    resolver::ConsulDns consul_dns;
    AccessLog* access_log = nullptr;
    std::uint32_t max_clients = 10000;
    std::vector<Seed> seeds;  ///< for upstreams that are new
    bool log_tries = false;
  };
  /// A reload; cannot fail. Every address there is afterwards is in `listeners`: those with a known
  /// id keep their socket and go to the upstream named, the others begin. An address that is gone
  /// hands over what the kernel's queue still holds and closes. What runs on removed upstreams, and
  /// what came in by addresses that moved, finishes.
  void apply(const Update& update, std::vector<Listener> listeners);
  /// Until the addresses that apply() closed can be bound again, or the deadline.
  net::Awaitable<void> wait_closed(TimePoint deadline);
  /// Waits until each upstream had its first lookups end, either way, or the deadline.
  net::Awaitable<void> wait_first_lookups(TimePoint deadline);

  /// What the process's watch of a service says now, for upstreams with `fresh: watch`.
  void push_watch(const resolver::WatchKey& key, resolver::WatchStatePtr state);

  /// What the process's active checks have found anew; for an upstream that is not known: nothing.
  void push_verdicts(const std::string& upstream, std::span<const balancer::CheckVerdict> verdicts);
  /// Why instances of an upstream are missing, for the 503's text and status().
  void explain(const std::string& upstream, const std::string& cause);

  /// SIGTERM: takes what the kernel's queue holds, closes listeners, answers with
  /// `Connection: close`, closes idle connections. `on_idle` runs when the last session ended.
  void begin_drain(std::function<void()> on_idle);
  /// Client connections there are now.
  [[nodiscard]] std::size_t clients() const;
  /// Cuts what still runs.
  void stop();

  /// How much of the status: with thousands of instances listing them takes milliseconds.
  enum class Detail : std::uint8_t { kSummary, kInstances };
  [[nodiscard]] std::vector<UpstreamStatus> status(TimePoint now,
                                                   Detail detail = Detail::kInstances) const;
  /// Brings gauges (active, instances, tier, age, connections) up to date before a scrape.
  void refresh_gauges(TimePoint now);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilotfish::proxy
