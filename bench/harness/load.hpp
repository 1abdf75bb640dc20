#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/loop_thread.hpp"
#include "bench/harness/results.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "core/random.hpp"

namespace pilotfish::bench {

struct LoadOptions {
  /// Where a new connection goes; asked on the load's thread. Empty counts as a failed request.
  std::function<std::optional<Endpoint>(Random&)> target;
  double rate = 100;                  ///< requests per second
  double new_connection_share = 0.2;  ///< of the requests, each over a connection of its own
  std::size_t max_connections = 64;   ///< above it requests wait, and their waiting is counted
  Duration timeout = std::chrono::seconds(5);  ///< from the planned time to the whole answer
  std::string path = "/";
  std::string host = "lab";
  std::uint64_t seed = 1;
};

/// Open-loop constant-rate GETs: request i is due at start + i / rate whatever happened to the ones
/// before, and its latency counts from then (no coordinated omission). Part of the requests go over
/// kept connections, part open one each. Anything but a whole 2xx answer in time is a failure;
/// nothing is tried again. Thread-safety: full; runs on a thread of its own.
class Load {
 public:
  explicit Load(LoadOptions options);
  ~Load();
  Load(const Load&) = delete;
  Load& operator=(const Load&) = delete;

  void start();
  /// Plans no more requests and waits, at most `grace`, for those under way; what is not done by
  /// then is failed. Returns once everything is counted.
  void stop(Duration grace);

  /// Forgets what was counted so far: the warm-up.
  void reset();
  /// What ended since the last call.
  [[nodiscard]] std::vector<Completion> drain();
  [[nodiscard]] LoadReport report();

 private:
  struct State;
  LoopThread loop_;
  std::shared_ptr<State> state_;
};

}  // namespace pilotfish::bench
