#include "bench/harness/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace pilotfish::bench {
namespace {

constexpr unsigned kSubBits = 7;
constexpr std::uint64_t kSub = 1U << kSubBits;
constexpr unsigned kTopBit = 40;  // 2^40 ns: 18 minutes
constexpr std::size_t kBuckets = (kTopBit - kSubBits + 1) * kSub;

std::size_t index_of(std::uint64_t ns) {
  if (ns < 2 * kSub) return ns;
  const unsigned shift = static_cast<unsigned>(std::bit_width(ns)) - kSubBits - 1;
  return std::min<std::size_t>(shift * kSub + (ns >> shift), kBuckets - 1);
}

/// The middle of a bucket.
std::uint64_t value_of(std::size_t index) {
  if (index < 2 * kSub) return index;
  const std::size_t shift = index / kSub - 1;
  const std::uint64_t low = (index - shift * kSub) << shift;
  return low + ((std::uint64_t{1} << shift) >> 1U);
}

}  // namespace

LatencyHistogram::LatencyHistogram() : buckets_(kBuckets) {}

void LatencyHistogram::record(Duration latency) {
  const auto ns = std::max<Duration::rep>(
      std::chrono::duration_cast<std::chrono::nanoseconds>(latency).count(), 0);
  ++buckets_[index_of(static_cast<std::uint64_t>(ns))];
  ++count_;
  sum_ns_ += static_cast<double>(ns);
  max_ = std::max(max_, latency);
}

void LatencyHistogram::merge(const LatencyHistogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  sum_ns_ += other.sum_ns_;
  max_ = std::max(max_, other.max_);
}

void LatencyHistogram::clear() {
  *this = LatencyHistogram();
}

Duration LatencyHistogram::mean() const {
  if (count_ == 0) return {};
  return std::chrono::nanoseconds(std::llround(sum_ns_ / static_cast<double>(count_)));
}

Duration LatencyHistogram::percentile(double fraction) const {
  if (count_ == 0) return {};
  const auto rank = std::max<std::uint64_t>(
      static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_))), 1);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += buckets_[i];
    if (seen >= rank) return std::min<Duration>(std::chrono::nanoseconds(value_of(i)), max_);
  }
  return max_;
}

}  // namespace pilotfish::bench
