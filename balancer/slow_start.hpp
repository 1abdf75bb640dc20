#pragma once

#include <algorithm>
#include <cstdint>

#include "balancer/cluster.hpp"

namespace pilotfish::balancer {

/// Slow start: an instance that comes into an answer later than its tier's first one gets 10 % of
/// its weight, rising linearly to all of it over `slow_start`. Pure.
inline constexpr std::uint32_t kFullShare = 100;

[[nodiscard]] inline bool ramping(const InstanceState& state, Duration slow_start, TimePoint now) {
  return state.ramps && now < state.first_seen + slow_start;
}

/// Percent of its weight that an instance has by now: 10..100.
[[nodiscard]] inline std::uint32_t ramp_percent(const InstanceState& state, Duration slow_start,
                                                TimePoint now) {
  if (!ramping(state, slow_start, now)) {
    return kFullShare;
  }
  const auto passed = std::max(now - state.first_seen, Duration::zero());
  const double share =
      static_cast<double>(passed.count()) / static_cast<double>(slow_start.count());
  return 10 + static_cast<std::uint32_t>(share * 90);
}

/// How often the weights are brought up to date while an instance ramps: 20 steps, none below
/// 10 ms.
[[nodiscard]] inline Duration ramp_step(Duration slow_start) {
  return std::max<Duration>(slow_start / 20, std::chrono::milliseconds(10));
}

}  // namespace pilotfish::balancer
