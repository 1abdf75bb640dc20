#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::balancer {

using namespace std::chrono_literals;

enum class Algorithm : std::uint8_t {
  kLeastRequest,  ///< two choices drawn by weight, the lower (load + 1/2) / weight
  kRoundRobin,    ///< smooth weighted
  kRandom,        ///< weighted
  kPeakEwma,      ///< two choices drawn by weight, the lower latency x load / weight
  kRingHash,
  kMaglev,
};

/// A number of instances, or a share of the largest size a tier had in the last 10 minutes.
struct MinHealthy {
  std::uint32_t value = 1;
  bool percent = false;
  friend bool operator==(const MinHealthy&, const MinHealthy&) = default;
};

struct FallbackOptions {
  MinHealthy min_healthy;
  /// Uninterrupted health of a better tier before traffic returns to it.
  Duration fail_back_after = 10s;
  /// How long the last good set serves after every tier answered empty.
  Duration hold_empty = 10s;
  friend bool operator==(const FallbackOptions&, const FallbackOptions&) = default;
};

struct EjectOptions {
  std::uint32_t consecutive = 5;  ///< failures in a row that eject; 0 disables
  Duration base = 30s;            ///< times the count of ejections so far
  Duration max = 5min;
  std::uint32_t max_share_percent = 50;  ///< of a tier; at least one may go
  friend bool operator==(const EjectOptions&, const EjectOptions&) = default;
};

/// What may be tried again. `on` in the configuration: [connect, reset, 502, 503, 504].
struct RetryOptions {
  std::uint32_t attempts = 2;  ///< tries after the first
  bool on_connect = true;
  bool on_reset = true;
  bool on_502 = true;
  bool on_503 = true;
  bool on_504 = true;
  std::uint32_t budget_percent = 20;  ///< of the requests of the last 10 s; at least 3 a second
  /// Before a second try on the same instance, and from the third try on; jittered, doubles up to
  /// ten times.
  Duration backoff = 25ms;
  friend bool operator==(const RetryOptions&, const RetryOptions&) = default;
};

struct LimitOptions {
  std::uint32_t connections = 1024;  ///< to this upstream
  std::uint32_t pending = 1024;      ///< requests waiting for a connection
  std::size_t head = 32UL * 1024;    ///< largest head, bytes
  std::uint64_t body = 0;            ///< largest request body, bytes; 0 is no limit
  friend bool operator==(const LimitOptions&, const LimitOptions&) = default;
};

/// One entry of `split:`: a share of what arrives, for instances with all of these tags.
struct SplitShare {
  std::vector<std::string> tags;
  std::uint32_t permille = 0;  ///< in tenths of a percent, 1..1000; at most 1000 over all entries
  friend bool operator==(const SplitShare&, const SplitShare&) = default;
};

/// How instances of one upstream are chosen.
struct ClusterOptions {
  Algorithm algorithm = Algorithm::kLeastRequest;
  FallbackOptions fallback;
  EjectOptions eject;
  Duration slow_start{};
  std::vector<SplitShare> split;
  friend bool operator==(const ClusterOptions&, const ClusterOptions&) = default;
};

}  // namespace pilotfish::balancer
