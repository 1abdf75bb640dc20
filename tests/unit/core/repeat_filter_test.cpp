#include "core/repeat_filter.hpp"

#include <gtest/gtest.h>

namespace pilotfish {
namespace {

using namespace std::chrono_literals;

const TimePoint kStart = TimePoint{} + 1h;

TEST(RepeatFilter, SaysTheFirstAndCountsTheRestOfTheWindow) {
  RepeatFilter filter;
  EXPECT_TRUE(filter.admit("a", 1, kStart));
  for (int i = 0; i < 1234; ++i) {
    EXPECT_FALSE(filter.admit("a", 1, kStart + 1ms * i));
  }
  EXPECT_TRUE(filter.take_due(kStart + 9999ms).empty());
  const auto due = filter.take_due(kStart + 10s);
  ASSERT_EQ(due.size(), 1U);
  EXPECT_EQ(due[0].key, "a");
  EXPECT_EQ(due[0].count, 1234U);
  EXPECT_EQ(due[0].span, Duration(10s));
}

TEST(RepeatFilter, LetsABurstThroughBeforeItCounts) {
  RepeatFilter filter;
  for (int i = 0; i < 8; ++i) {
    EXPECT_TRUE(filter.admit("a", 8, kStart));
  }
  EXPECT_FALSE(filter.admit("a", 8, kStart));
}

TEST(RepeatFilter, KeepsKindsOfTroubleApart) {
  RepeatFilter filter;
  EXPECT_TRUE(filter.admit("a", 1, kStart));
  EXPECT_TRUE(filter.admit("b", 1, kStart));
  EXPECT_FALSE(filter.admit("a", 1, kStart));
}

TEST(RepeatFilter, AFloodThatGoesOnGetsOneSummaryPerWindowAndNoLineBetween) {
  RepeatFilter filter;
  EXPECT_TRUE(filter.admit("a", 1, kStart));
  std::uint64_t told = 0;
  int summaries = 0;
  for (auto at = kStart + 100ms; at < kStart + 60s; at += 100ms) {
    EXPECT_FALSE(filter.admit("a", 1, at));
    for (const auto& one : filter.take_due(at)) {
      told += one.count;
      ++summaries;
    }
  }
  EXPECT_EQ(summaries, 5);
  EXPECT_EQ(told, 500U);
}

TEST(RepeatFilter, ForgetsAKeyAfterASilentWindowSoThatItIsNewsAgain) {
  RepeatFilter filter;
  EXPECT_TRUE(filter.admit("a", 1, kStart));
  EXPECT_TRUE(filter.take_due(kStart + 11s).empty());
  EXPECT_TRUE(filter.empty());
  EXPECT_TRUE(filter.admit("a", 1, kStart + 12s));
}

}  // namespace
}  // namespace pilotfish
