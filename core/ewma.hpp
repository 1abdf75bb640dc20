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

  [[nodiscard]] double value() const { return value_; }

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
