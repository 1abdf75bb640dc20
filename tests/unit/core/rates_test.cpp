// Token bucket, back-off, peak EWMA and the generator.
#include <array>
#include <cmath>
#include <gtest/gtest.h>
#include <set>

#include "core/backoff.hpp"
#include "core/ewma.hpp"
#include "core/random.hpp"
#include "core/token_bucket.hpp"

namespace pilotfish {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart{100h};

TEST(TokenBucket, GivesItsBurstAndThenItsRate) {
  TokenBucket bucket(20, 10);
  int taken = 0;
  while (bucket.try_take(kStart)) {
    ++taken;
  }
  EXPECT_EQ(taken, 10);
  EXPECT_FALSE(bucket.try_take(kStart + 49ms));
  EXPECT_TRUE(bucket.try_take(kStart + 51ms));
  for (auto now = kStart + 51ms; now < kStart + 10s; now += 1ms) {
    taken += bucket.try_take(now) ? 1 : 0;
  }
  EXPECT_NEAR(taken, 10 + 200, 2);
}

TEST(TokenBucket, SaysExactlyWhenTheNextTokenIsThere) {
  TokenBucket bucket(1000, 1);
  auto now = kStart;
  for (int i = 0; i < 10000; ++i) {
    ASSERT_TRUE(bucket.try_take(now)) << i;
    const auto next = bucket.next_at(now);
    ASSERT_GT(next, now);
    ASSERT_LE(next - now, 1001us);
    now = next;
  }
  EXPECT_NEAR(std::chrono::duration<double>(now - kStart).count(), 10.0, 0.01);
}

TEST(TokenBucket, NeverHoldsMoreThanItsBurstAndSurvivesTimeRunningBack) {
  TokenBucket bucket(10, 3);
  EXPECT_TRUE(bucket.try_take(kStart));
  int taken = 0;
  while (bucket.try_take(kStart + 24h)) {
    ++taken;
  }
  EXPECT_EQ(taken, 3);
  EXPECT_FALSE(bucket.try_take(kStart));
  EXPECT_EQ(bucket.next_at(kStart + 25h), kStart + 25h);
}

TEST(Backoff, DoublesWithJitterUpToItsMaximum) {
  Random random(1);
  Backoff backoff(100ms, 3s);
  const std::array<Duration, 7> steps{100ms, 200ms, 400ms, 800ms, 1600ms, 3s, 3s};
  std::set<Duration> seen;
  for (const auto step : steps) {
    const auto delay = backoff.next(random);
    EXPECT_GE(delay, step / 2);
    EXPECT_LE(delay, step);
    seen.insert(delay);
  }
  EXPECT_EQ(seen.size(), steps.size()) << "jitter";
  EXPECT_EQ(backoff.failures(), 7U);
  backoff.reset();
  EXPECT_LE(backoff.next(random), 100ms);
}

TEST(Backoff, DoesNotOverflowAfterManyFailures) {
  Random random(1);
  Backoff backoff(100ms, 3s);
  for (int i = 0; i < 1000; ++i) {
    const auto delay = backoff.next(random);
    ASSERT_GE(delay, 50ms);
    ASSERT_LE(delay, 3s);
  }
}

TEST(PeakEwma, RisesAtOnceAndFallsSlowly) {
  PeakEwma ewma(0.03, 10s);
  ewma.add(0.001, kStart);
  ewma.add(2.0, kStart + 1s);
  EXPECT_DOUBLE_EQ(ewma.value(), 2.0);
  ewma.add(1.0, kStart + 11s);
  EXPECT_NEAR(ewma.value(), 1.0 + std::exp(-1.0), 1e-9);
  ewma.add(0.5, kStart + 11s);
  EXPECT_NEAR(ewma.value(), 1.0 + std::exp(-1.0), 1e-9) << "no time passed, no weight";
}

TEST(PeakEwma, FadesWithoutSamples) {
  PeakEwma ewma(0.03, 10s);
  ewma.add(2.0, kStart);
  EXPECT_DOUBLE_EQ(ewma.value_at(kStart), 2.0);
  EXPECT_DOUBLE_EQ(ewma.value_at(kStart + 100ms), 2.0) << "recent enough to leave it";
  EXPECT_NEAR(ewma.value_at(kStart + 10s), 2.0 * std::exp(-1.0), 1e-9);
  EXPECT_DOUBLE_EQ(ewma.value(), 2.0);
}

TEST(Random, RepeatsForASeedAndDiffersBetweenSeeds) {
  Random one(1);
  Random same(1);
  Random other(2);
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const auto value = one.next();
    EXPECT_EQ(value, same.next());
    differs = differs || value != other.next();
  }
  EXPECT_TRUE(differs);
}

TEST(Random, BelowIsUniformAndInRange) {
  Random random(7);
  EXPECT_EQ(random.below(0), 0U);
  EXPECT_EQ(random.below(1), 0U);
  std::array<double, 10> counts{};
  for (int i = 0; i < 100000; ++i) {
    counts.at(random.below(10)) += 1;
  }
  double chi = 0;
  for (const auto count : counts) {
    chi += (count - 10000) * (count - 10000) / 10000;
  }
  EXPECT_LT(chi, 27.88) << "99.9 % quantile for 9 degrees of freedom";
}

TEST(Random, UnitStaysBelowOne) {
  Random random(7);
  double sum = 0;
  for (int i = 0; i < 100000; ++i) {
    const auto value = random.unit();
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 100000, 0.5, 0.005);
}

}  // namespace
}  // namespace pilotfish
