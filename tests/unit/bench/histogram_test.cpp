#include "bench/harness/histogram.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <vector>

#include "core/random.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, EveryValueIsOffByLessThanOnePercent) {
  for (double value = 1; value < 1e12; value *= 1.0071) {
    const auto exact = nanoseconds(static_cast<std::int64_t>(value));
    LatencyHistogram histogram;
    histogram.record(exact);
    histogram.record(std::chrono::hours(1));  // so that max() does not help
    const auto seen = histogram.percentile(0.5);
    EXPECT_LE(std::abs(static_cast<double>((seen - exact).count())),
              0.01 * static_cast<double>(exact.count()))
        << exact.count();
  }
}

TEST(LatencyHistogram, PercentilesOfManyAreCloseToTheSortedOnes) {
  Random random(7);
  LatencyHistogram histogram;
  std::vector<double> values;
  for (int i = 0; i < 20000; ++i) {
    const double value = std::exp(std::log(1e4) + random.unit() * std::log(1e4));
    values.push_back(value);
    histogram.record(nanoseconds(static_cast<std::int64_t>(value)));
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(std::ceil(fraction * 20000)) - 1;
    const auto seen = static_cast<double>(histogram.percentile(fraction).count());
    EXPECT_NEAR(seen, values[rank], 0.01 * values[rank]) << fraction;
  }
}

TEST(LatencyHistogram, MergesCountsMeanAndMaximum) {
  LatencyHistogram a;
  LatencyHistogram b;
  a.record(nanoseconds(1000));
  b.record(nanoseconds(3000));
  a.merge(b);
  EXPECT_EQ(a.count(), 2U);
  EXPECT_EQ(a.mean(), nanoseconds(2000));
  EXPECT_EQ(a.max(), nanoseconds(3000));
  a.clear();
  EXPECT_EQ(a.count(), 0U);
  EXPECT_EQ(a.percentile(0.5), nanoseconds(0));
}

TEST(LatencyHistogram, TakesNegativeAndEnormousValues) {
  LatencyHistogram histogram;
  histogram.record(nanoseconds(-5));
  histogram.record(std::chrono::hours(1000));
  EXPECT_EQ(histogram.percentile(0.1), nanoseconds(0));
  EXPECT_EQ(histogram.max(), std::chrono::hours(1000));
}

}  // namespace
}  // namespace pilotfish::bench
