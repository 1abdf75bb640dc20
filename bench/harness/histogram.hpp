#pragma once

#include <cstdint>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::bench {

/// Latencies in log-linear buckets: 128 per power of two, so that a percentile is off by less than
/// 1 % (half a bucket, 0.4 %). Below 256 ns exact; above 18 minutes everything is one bucket.
/// Pure; record() never allocates. Thread-safety: none.
class LatencyHistogram {
 public:
  LatencyHistogram();

  void record(Duration latency);
  void merge(const LatencyHistogram& other);
  void clear();

  [[nodiscard]] std::uint64_t count() const { return count_; }
  [[nodiscard]] Duration max() const { return max_; }
  [[nodiscard]] Duration mean() const;
  /// The value that `fraction` (0..1) of the records do not exceed; zero where there are none.
  [[nodiscard]] Duration percentile(double fraction) const;

 private:
  std::vector<std::uint64_t> buckets_;
  std::uint64_t count_ = 0;
  double sum_ns_ = 0;
  Duration max_{};
};

}  // namespace pilotfish::bench
