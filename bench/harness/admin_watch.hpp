#pragma once

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "bench/harness/admin_view.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// Asks a sidecar's `/upstreams` again and again on a thread of its own and keeps what it said
/// last. Thread-safety: full.
class AdminWatch {
 public:
  AdminWatch(const Endpoint& admin, Duration interval);
  ~AdminWatch();
  AdminWatch(const AdminWatch&) = delete;
  AdminWatch& operator=(const AdminWatch&) = delete;

  /// The newest view of the first upstream; empty before the first answer.
  [[nodiscard]] std::optional<UpstreamView> upstream() const;
  /// Asks `/metrics` now, on the calling thread; empty where that fails.
  [[nodiscard]] std::map<std::string, double> metrics() const;

 private:
  void run();

  const Endpoint admin_;
  const Duration interval_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;
  std::optional<UpstreamView> upstream_;
  std::thread thread_;
};

}  // namespace pilotfish::bench
