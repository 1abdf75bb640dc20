#pragma once

#include <deque>
#include <string>

#include "bench/harness/results.hpp"
#include "core/clock.hpp"

namespace pilotfish::bench {

struct TrafficFigures {
  double rate = 0;  ///< requests per second
  Duration p50{};
  Duration p99{};
};

/// The requests of the last moments, by instance, for a table that is drawn anew all the time.
/// Pure. Thread-safety: none.
class RecentTraffic {
 public:
  explicit RecentTraffic(Duration window) : window_(window) {}

  void add(const Completion& completion);
  /// Forgets what is older than the window. Figures count from the later of the window's beginning
  /// and the first request ever seen.
  void advance(TimePoint now);

  /// Of an instance; with an empty name of all.
  [[nodiscard]] TrafficFigures figures(const std::string& instance = {}) const;

 private:
  Duration window_;
  TimePoint first_ = TimePoint::max();
  TimePoint now_;
  std::deque<Completion> recent_;
};

}  // namespace pilotfish::bench
