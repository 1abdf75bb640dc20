#pragma once

#include <algorithm>
#include <cstdint>

#include "core/clock.hpp"

namespace pilotfish {

/// Admission by rate, with a burst. Pure: time is an argument. Thread-safety: none.
class TokenBucket {
 public:
  /// `per_second` > 0; `burst` >= 1 tokens are there at the start.
  TokenBucket(double per_second, double burst)
      : per_second_(per_second), burst_(burst), tokens_(burst) {}

  /// Takes a token; false where none is there yet.
  bool try_take(TimePoint now) {
    refill(now);
    if (tokens_ < 1.0) {
      return false;
    }
    tokens_ -= 1.0;
    return true;
  }

  /// When the next token will be there; `now` where one already is.
  [[nodiscard]] TimePoint next_at(TimePoint now) {
    refill(now);
    if (tokens_ >= 1.0) {
      return now;
    }
    const std::chrono::duration<double> wait((1.0 - tokens_) / per_second_);
    // One nanosecond more, so that rounding never leaves the waiter a fraction short.
    return now + std::chrono::duration_cast<Duration>(wait) + Duration(1);
  }

 private:
  void refill(TimePoint now) {
    if (last_ != TimePoint{} && now > last_) {
      const std::chrono::duration<double> passed = now - last_;
      tokens_ = std::min(burst_, tokens_ + passed.count() * per_second_);
    }
    last_ = std::max(last_, now);
  }

  double per_second_;
  double burst_;
  double tokens_;
  TimePoint last_{};
};

}  // namespace pilotfish
