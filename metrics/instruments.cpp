#include "metrics/instruments.hpp"

namespace pilotfish::metrics {

void Histogram::observe(Duration duration) {
  const auto nanoseconds = duration.count() > 0 ? duration.count() : 0;
  const double seconds = static_cast<double>(nanoseconds) * 1e-9;
  // Most observations are short: from the front the loop ends after a few comparisons.
  std::size_t index = 0;
  while (index < kBounds.size() && seconds > kBounds[index]) {
    ++index;
  }
  buckets_[index].add();
  nanoseconds_.add(static_cast<std::uint64_t>(nanoseconds));
}

}  // namespace pilotfish::metrics
