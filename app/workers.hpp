#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/listeners.hpp"
#include "app/merge_status.hpp"
#include "app/worker_log.hpp"
#include "config/root_options.hpp"
#include "metrics/store.hpp"
#include "net/asio.hpp"
#include "proxy/health_checks.hpp"
#include "proxy/preparer.hpp"
#include "proxy/proxy.hpp"
#include "registry/options.hpp"

namespace pilotfish::app {

/// A bound listener of an upstream: one socket per worker.
struct UpstreamListener {
  std::string upstream;
  BoundListener bound;  ///< without sockets in a reload: the workers keep theirs
  std::string place{};  ///< Place::id
  std::string id{};     ///< of these sockets: an inherited place may have several
};

/// The workers: each a thread with its own io_context, on which a whole proxy::Proxy is built,
/// driven and taken down. Questions are posted to each and answered on the main executor.
/// Ownership: `logger` and `access_log` outlive it. Thread-safety: none; the main thread's, but
/// what stores() gives may be read anywhere.
class WorkerGroup {
 public:
  struct Hooks {
    /// A worker died of an exception; called on the main executor, once per worker.
    std::function<void(const std::string& what)> on_failure;
    /// Instances of an upstream with a `check:` came to a worker, or left it; on the main executor.
    std::function<void(std::size_t worker, const std::string& upstream,
                       std::vector<proxy::CheckTarget> arrived, std::vector<Endpoint> left)>
        on_instances = {};
    /// Instances of an upstream are missing (proxy::Shared); on the main executor, of each worker.
    std::function<void(const std::string& upstream)> on_missing{};
  };
  WorkerGroup(net::IoContext& main, const config::RootOptions& options, Logger& logger,
              proxy::AccessLog* access_log, Hooks hooks);
  ~WorkerGroup();
  WorkerGroup(const WorkerGroup&) = delete;
  WorkerGroup& operator=(const WorkerGroup&) = delete;

  /// Every worker begins with the `seeds`.
  void start(std::vector<UpstreamListener> listeners,
             const std::vector<proxy::Proxy::Seed>& seeds = {});
  /// Until each worker's upstreams had their first lookups end, or the deadline.
  [[nodiscard]] net::Awaitable<void> wait_first_lookups(TimePoint deadline);

  /// Each worker's status, merged; waits `limit` at most.
  [[nodiscard]] net::Awaitable<MergedStatus> status(
      Duration limit, proxy::Proxy::Detail detail = proxy::Proxy::Detail::kInstances);
  /// The first worker's status alone, without instances: what it looked up, the others did too.
  /// Nothing where it does not answer within `limit`.
  [[nodiscard]] net::Awaitable<std::vector<proxy::UpstreamStatus>> first_status(Duration limit);
  /// Brings every worker's gauges up to date; waits `limit` at most.
  [[nodiscard]] net::Awaitable<void> refresh_gauges(Duration limit);
  [[nodiscard]] std::vector<metrics::Store*> stores();
  /// Client connections that the descriptors carry; known from start() on.
  [[nodiscard]] std::uint32_t carried() const { return carried_; }
  /// Client connections of all workers; nothing where one does not answer within `limit`.
  [[nodiscard]] net::Awaitable<std::optional<std::size_t>> clients(Duration limit);

  /// To every worker: what the watch of a service says now.
  void push_watch(const resolver::WatchKey& key, const resolver::WatchStatePtr& state);
  /// To every worker: what active checks have found anew.
  void push_verdicts(const std::string& upstream, const proxy::CheckVerdictsPtr& news);
  /// To every worker: why instances of an upstream are missing.
  void explain(const std::string& upstream, const std::string& cause);
  /// A reload on every worker; true where each has applied it before the limit. Sockets that are
  /// not named any more finish what the kernel holds, and close.
  [[nodiscard]] net::Awaitable<bool> apply(std::shared_ptr<const proxy::Proxy::Update> update,
                                           registry::ConsulHttp consul,
                                           std::vector<UpstreamListener> listeners, Duration limit);

  /// Drains every worker; true where all became idle before the deadline.
  [[nodiscard]] net::Awaitable<bool> drain(TimePoint deadline);
  /// Cuts what still runs and joins the threads. Idempotent.
  void stop();

 private:
  [[nodiscard]] std::uint32_t warn_of_descriptors();
  struct Worker;
  class Feed;
  template <class T>
  struct Answers;
  net::IoContext& main_;
  config::RootOptions options_;
  Logger& logger_;
  WorkerLogs worker_logs_;
  std::uint32_t pipes_ = 0;    ///< what bulk may be spliced through, beside them
  std::uint32_t carried_ = 0;  ///< clients that the descriptors carry
  proxy::AccessLog* access_log_;
  Hooks hooks_;
  std::vector<std::unique_ptr<Worker>> workers_;
  proxy::Preparer preparer_;  ///< ends before the workers' loops, as its waiters live there
};

}  // namespace pilotfish::app
