#pragma once

#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "balancer/cluster.hpp"

namespace pilotfish::balancer {

using namespace std::chrono_literals;

inline Endpoint at(int number, std::uint16_t port = 80) {
  const auto high = static_cast<std::uint8_t>(number >> 8);
  const auto low = static_cast<std::uint8_t>(number & 0xff);
  return {IpAddress::v4({10, 0, high, low}), port};
}

/// An instance 10.0.0.<number>:80.
inline Instance instance(int number, std::uint32_t weight = 1, std::uint32_t priority = 0,
                         std::vector<std::string> tags = {}) {
  return {at(number), weight, priority, std::move(tags)};
}

inline TierAnswer ok(InstanceList instances) {
  TierAnswer answer;
  answer.result = LookupResult::kOk;
  normalise(instances);
  answer.instances = std::move(instances);
  return answer;
}
inline TierAnswer ended(LookupResult result) {
  TierAnswer answer;
  answer.result = result;
  return answer;
}

/// A cluster with simulated time that starts at an arbitrary moment.
struct ClusterBox {
  explicit ClusterBox(ClusterOptions wanted = {}, std::vector<std::string> names = {"v4", "v3"},
                      TierRoles roles = {})
      : options(wanted), cluster(wanted, std::move(names), 7, std::move(roles)) {}

  void answer(std::size_t tier, InstanceList instances) {
    auto whole = ok(std::move(instances));
    whole.asked = now - 1ms;
    cluster.on_answer(tier, whole, now);
  }
  void empty(std::size_t tier) { cluster.on_answer(tier, ended(LookupResult::kEmpty), now); }
  void fail(std::size_t tier) { cluster.on_answer(tier, ended(LookupResult::kTimeout), now); }
  /// Lets time pass as a shell does: tick() at every deadline on the way.
  void pass(Duration time) {
    const auto end = now + time;
    while (cluster.next_deadline() <= end) {
      ASSERT_GE(cluster.next_deadline(), now) << "a deadline in the past would spin the shell";
      const auto due = cluster.next_deadline();
      now = due;
      cluster.tick(now);
      ASSERT_GT(cluster.next_deadline(), now) << "a deadline that stays due would spin the shell";
    }
    now = end;
    cluster.tick(now);
  }
  InstanceState* pick(std::span<InstanceState* const> tried = {}, std::uint64_t hash = 0) {
    return cluster.pick({now, hash, tried});
  }
  std::string pick_name(std::span<InstanceState* const> tried = {}) {
    auto* state = pick(tried);
    return state == nullptr ? "none" : state->name;
  }
  /// A whole try on the picked instance.
  InstanceState* request(Outcome outcome, Duration took = 1ms) {
    auto* state = pick();
    if (state != nullptr) {
      run(*state, outcome, took);
    }
    return state;
  }
  void run(InstanceState& state, Outcome outcome, Duration took = 1ms) {
    cluster.started(state, now);
    cluster.finished(state, outcome, took, now);
  }
  void fail_times(InstanceState& state, int times) {
    for (int i = 0; i < times; ++i) {
      run(state, Outcome::kConnectFailure);
    }
  }
  InstanceState& state(int number) {
    for (auto& each : cluster.view(now)) {
      if (each.state->endpoint == at(number)) {
        return *each.state;
      }
    }
    throw std::runtime_error("no such instance: " + std::to_string(number));
  }
  InstanceView view_of(int number) {
    for (auto& each : cluster.view(now)) {
      if (each.state->endpoint == at(number)) {
        return each;
      }
    }
    return {};
  }
  /// How often each instance is picked in `times` requests that end at once and well.
  std::map<std::string, int> shares(int times) {
    std::map<std::string, int> count;
    for (int i = 0; i < times; ++i) {
      auto* state = request(Outcome::kSuccess);
      ++count[state == nullptr ? "none" : state->name];
    }
    return count;
  }

  TimePoint now{std::chrono::hours(100)};
  ClusterOptions options;
  Cluster cluster;
};

}  // namespace pilotfish::balancer
