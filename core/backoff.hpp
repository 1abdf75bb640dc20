#pragma once

#include <algorithm>
#include <cstdint>

#include "core/clock.hpp"
#include "core/random.hpp"

namespace pilotfish {

/// Exponential delays with jitter: `base` doubling to `max`, each drawn from [1/2, 1] of its step.
/// Pure. Thread-safety: none.
class Backoff {
 public:
  Backoff(Duration base, Duration max) : base_(base), max_(max) {}

  /// The delay before the next try; grows with each call.
  Duration next(Random& random) {
    const auto step = std::min(max_, base_ * (std::int64_t{1} << std::min(failures_, 30U)));
    ++failures_;
    const auto half = step / 2;
    return half + Duration(static_cast<Duration::rep>(
                      random.below(static_cast<std::uint64_t>(half.count()) + 1)));
  }

  /// After a success: starts again at `base`.
  void reset() { failures_ = 0; }
  [[nodiscard]] std::uint32_t failures() const { return failures_; }

 private:
  Duration base_;
  Duration max_;
  std::uint32_t failures_ = 0;
};

}  // namespace pilotfish
