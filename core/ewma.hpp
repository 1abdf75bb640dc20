#pragma once

#include <cmath>

#include "core/clock.hpp"

namespace pilotfish {

/// Time-decayed average. `peak` form: a value above the average replaces it at once, a lower one
/// pulls it down over `decay` (linkerd2-proxy's peak-EWMA). Pure. Thread-safety: none.
class PeakEwma {
 public:
  PeakEwma(double seed, Duration decay) : value_(seed), decay_(decay) {}

  void add(double sample, TimePoint now) {
    if (sample > value_) {
      value_ = sample;
    } else {
      const double keep = weight(now);
      value_ = value_ * keep + sample * (1.0 - keep);
    }
    last_ = now;
  }

  /// The average as of the last sample.
  [[nodiscard]] double value() const { return value_; }

  /// The average as of `now`: without a new sample it fades towards 0, so that what was slow once
  /// gets another chance. Cheap while the last sample is recent (fading below 2 % is left out).
  [[nodiscard]] double value_at(TimePoint now) const {
    return now - last_ < decay_ / 64 ? value_ : value_ * weight(now);
  }

 private:
  [[nodiscard]] double weight(TimePoint now) const {
    if (now <= last_) {
      return 1.0;
    }
    const std::chrono::duration<double> passed = now - last_;
    const std::chrono::duration<double> decay = decay_;
    return std::exp(-passed.count() / decay.count());
  }

  double value_;
  Duration decay_;
  TimePoint last_{};
};

}  // namespace pilotfish
