#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "bench/harness/histogram.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// What a drive asks for.
struct DriveOptions {
  enum class Protocol : std::uint8_t {
    kHttp,  ///< requests for `answer_bytes`, with `upload_bytes` of a body
    kEcho,  ///< `upload_bytes` are sent and come back
  };
  Protocol protocol = Protocol::kHttp;
  std::vector<Endpoint> targets;  ///< connections are spread over them in turn
  std::size_t connections = 64;
  /// Per second; request i is due at start + i / rate whatever became of those before, and its
  /// latency counts from then. 0: every connection asks again as soon as it is answered, and
  /// latencies count from the sending.
  double rate = 0;
  bool new_connections = false;  ///< one for every request, which says `Connection: close`
  std::size_t answer_bytes = 100;
  std::size_t upload_bytes = 0;
  Duration timeout = std::chrono::seconds(10);  ///< from the planned time to the whole answer
};

struct DriveReport {
  std::uint64_t requests = 0;  ///< ended, failed ones included
  std::uint64_t failed = 0;
  /// With a rate: sent more than 1 ms after they were due although a connection was free. The load
  /// was short of processor time then, and latencies are partly its own.
  std::uint64_t late = 0;
  std::uint64_t bytes = 0;  ///< of bodies, both directions
  Duration during{};        ///< what the counts belong to
  LatencyHistogram latency;
  std::map<std::string, std::uint64_t> errors;  ///< text -> how often; at most 16 texts
};

/// Load from one thread on raw sockets, with no allocation and no lock per request, so that a proxy
/// is what saturates first. Starts at once. Thread-safety: none; its thread is its own, and runs
/// where the thread that makes it may run (see OnProcessor).
class Drive {
 public:
  explicit Drive(const DriveOptions& options);
  ~Drive();
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;

  /// Forgets what was counted, the warm-up; returns once counting begins anew.
  void reset();
  /// How many requests have ended since the last reset().
  [[nodiscard]] std::uint64_t requests() const;
  /// Counting ends at once. With a rate, requests that were due are still waited for and counted,
  /// up to their timeout: a stall must not hide behind the end.
  DriveReport stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace pilotfish::bench
