#pragma once

#include <chrono>
#include <cmath>

#include "balancer/cluster.hpp"

namespace pilotfish::balancer {

/// A failed try counts as one request in flight that fades with a half-life of 2 s: after 10 s
/// 3 % of it are left, and below 1/32 it is forgotten. Without it an instance that refuses every
/// connection at once would look idle. Pure.
[[nodiscard]] inline double failure_load_at(const InstanceState& state, TimePoint now) {
  if (state.failure_load == 0) {
    return 0;
  }
  const std::chrono::duration<double> passed = now - state.failure_load_at;
  const double left = state.failure_load * std::exp2(-passed.count() / 2.0);
  return left < 1.0 / 32 ? 0 : left;
}

inline void add_failure_load(InstanceState& state, TimePoint now) {
  state.failure_load = failure_load_at(state, now) + 1;
  state.failure_load_at = now;
}

/// What the two-choice algorithms compare: what is in flight and recent failures. A tunnel is load
/// for whoever asks for another one; for requests it is none: it says little about how soon they
/// are answered, and one that is open for hours would keep all of them away.
[[nodiscard]] inline double load_at(const InstanceState& state, const PickContext& context) {
  const auto open = state.in_flight - (context.lasting ? 0 : state.tunnels);
  return static_cast<double>(open) + failure_load_at(state, context.now);
}

}  // namespace pilotfish::balancer
