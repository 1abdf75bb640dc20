#pragma once

#include <cstddef>

#include "core/clock.hpp"

namespace pilotfish::registry {

/// How many services one process watches. Each watch holds a connection to the agent, and Consul
/// takes 200 of them from one client address (limits.http_max_conns_per_client), that is from all
/// sidecars of a host and whatever else asks there; above it everybody gets 429, heartbeats of
/// registrations included. So a process watches 100 services at most, and gives way where
/// connections are refused: a quarter of what it watches at once, which leaves room for the short
/// requests of all; it takes back a tenth each half minute in which nothing was refused.
/// Pure: time is an argument. Thread-safety: none.
class WatchBudget {
 public:
  static constexpr std::size_t kMost = 100;
  static constexpr Duration kRaiseEvery = std::chrono::seconds(30);
  /// Many watches are refused at one moment; that is one reason to give way.
  static constexpr Duration kOneRefusal = std::chrono::seconds(1);

  [[nodiscard]] std::size_t limit() const { return limit_; }
  /// A connection of this process was refused while it watched `watched` services. True where the
  /// limit fell.
  bool refused(std::size_t watched, TimePoint now);
  /// To be called now and then. True where the limit rose.
  bool relax(TimePoint now);

 private:
  std::size_t limit_ = kMost;
  TimePoint changed_{};
};

}  // namespace pilotfish::registry
