#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "bench/harness/results.hpp"
#include "core/clock.hpp"

namespace pilotfish::bench {

/// Which answers a step should bring and which it should end; beginnings of instance names
/// (`v4`, or `v4 #3`), empty where nothing is expected.
struct Expectation {
  std::string arriving;
  std::string leaving;
};

/// Watches the requests after a step until its effect is complete. Pure. Thread-safety: none.
class Observation {
 public:
  Observation(TimePoint start, Expectation expectation)
      : start_(start), expectation_(std::move(expectation)) {}

  void see(const Completion& completion);

  /// What was expected has arrived, and nothing has gone to the leaving ones for `quiet`.
  [[nodiscard]] bool settled(TimePoint now, Duration quiet) const;

  [[nodiscard]] TimePoint start() const { return start_; }
  /// From the step to the end of the first request that an arriving one answered.
  [[nodiscard]] std::optional<Duration> first_arrival() const { return first_arrival_; }
  /// From the step to the planned time of the last request that a leaving one answered.
  [[nodiscard]] std::optional<Duration> last_leaving() const { return last_leaving_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  [[nodiscard]] std::uint64_t failed() const { return failed_; }

 private:
  TimePoint start_;
  Expectation expectation_;
  std::optional<Duration> first_arrival_;
  std::optional<Duration> last_leaving_;
  std::uint64_t requests_ = 0;
  std::uint64_t failed_ = 0;
};

}  // namespace pilotfish::bench
