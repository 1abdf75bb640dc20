#include "registry/consul_watch_plan.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;

/// Simulated time and an agent that answers as told, at once unless it is told to wait.
class WatchPlanTest : public ::testing::Test {
 protected:
  WatchPlan::Query ask() {
    now = std::max(now, plan.next_at(now));
    sent.push_back(now);
    return plan.begin(now);
  }
  void answered(std::optional<std::uint64_t> index, std::size_t bytes = 100) {
    plan.answered(index, bytes, now);
  }
  void failed(std::optional<Duration> retry_after = std::nullopt) {
    plan.failed(retry_after, now, random);
  }

  TimePoint now{1h};
  Random random{7};
  WatchPlan plan;
  std::vector<TimePoint> sent;
};

TEST_F(WatchPlanTest, AsksWithoutAnIndexFirstAndThenWaitsOnTheOneItGot) {
  const auto first = ask();
  EXPECT_EQ(first.index, 0U);
  EXPECT_EQ(first.wait, 0s);
  answered(17);
  const auto second = ask();
  EXPECT_EQ(second.index, 17U);
  EXPECT_EQ(second.wait, WatchPlan::kShortWait);
  EXPECT_GT(second.limit, second.wait + second.wait / 16) << "Consul adds up to a sixteenth";
}

TEST_F(WatchPlanTest, AnIndexThatGoesBackwardsIsResetOnce) {
  (void)ask();
  answered(100);
  (void)ask();
  answered(99);
  EXPECT_EQ(ask().index, 0U);
  answered(99);
  EXPECT_EQ(ask().index, 99U);
}

TEST_F(WatchPlanTest, WithoutAUsableIndexTheServiceIsPolledOnceASecond) {
  for (const auto index : {std::optional<std::uint64_t>{}, std::optional<std::uint64_t>{0}}) {
    WatchPlan fresh;
    TimePoint at{1h};
    for (int i = 0; i < 5; ++i) {
      const auto next = fresh.next_at(at);
      if (i > 0) {
        EXPECT_EQ(next - at, WatchPlan::kPollEvery);
      }
      at = std::max(at, next);
      EXPECT_EQ(fresh.begin(at).index, 0U);
      fresh.answered(index, 100, at);
    }
  }
}

TEST_F(WatchPlanTest, AnAgentThatAnswersAtOnceIsAskedTwentyTimesASecond) {
  std::uint64_t index = 0;
  const auto began = now;
  while (now < began + 10s) {
    (void)ask();
    answered(++index);
  }
  EXPECT_NEAR(static_cast<double>(sent.size()), 20 * 10 + 10, 1.5);
}

TEST_F(WatchPlanTest, TheSameIndexAgainAndAgainIsPacedAsWell) {
  const auto began = now;
  while (now < began + 10s) {
    (void)ask();
    answered(5);
  }
  EXPECT_LE(sent.size(), 20U * 10 + 11);
}

TEST_F(WatchPlanTest, FailuresBackOffFromATenthOfASecondToThreeAndBeginWithoutIndex) {
  (void)ask();
  answered(50);
  (void)ask();
  Duration longest{};
  for (int i = 0; i < 12; ++i) {
    failed();
    const auto delay = plan.next_at(now) - now;
    const auto step = std::min<Duration>(100ms * (1 << i), 3s);
    EXPECT_GE(delay, step / 2) << i;
    EXPECT_LE(delay, std::max<Duration>(step, 50ms)) << i;
    longest = std::max(longest, delay);
    EXPECT_EQ(ask().index, 0U);
  }
  EXPECT_GE(longest, 1500ms);
  answered(3);
  EXPECT_EQ(ask().index, 3U) << "a new agent's indexes begin anew";
  failed();
  EXPECT_LE(plan.next_at(now) - now, 100ms) << "a success starts the back-off anew";
}

TEST_F(WatchPlanTest, RetryAfterIsHonouredWithinAMinute) {
  (void)ask();
  failed(7s);
  EXPECT_GE(plan.next_at(now) - now, 7s);
  failed(1h);
  EXPECT_EQ(plan.next_at(now) - now, WatchPlan::kRetryAfterMax);
}

TEST_F(WatchPlanTest, AnAgentKnownToAnswerAgainIsAskedAtOnce) {
  (void)ask();
  answered(9);
  (void)ask();
  failed(30s);
  now += 1s;
  plan.retry_now(now);
  EXPECT_LE(plan.next_at(now), now);
  EXPECT_EQ(ask().index, 0U);
}

TEST_F(WatchPlanTest, TheLargerTheBodyTheLongerTheWaitUpToHalfAMinute) {
  (void)ask();
  answered(1, 1000);
  EXPECT_EQ(ask().wait, 10s);
  answered(2, std::size_t{5} * 1024 * 1024);
  EXPECT_EQ(ask().wait, 20s);
  answered(3, std::size_t{60} * 1024 * 1024);
  EXPECT_EQ(ask().wait, 30s);
}

/// Every order of six events: whatever comes, the rate holds, a failure is followed by a query
/// without index, and no query without index follows an unindexed answer within its second.
TEST(WatchPlanOrders, NoOrderOfEventsBreaksPaceOrIndex) {
  constexpr int kEvents = 7;
  constexpr int kLength = 6;
  int total = 1;
  for (int i = 0; i < kLength; ++i) {
    total *= kEvents;
  }
  for (int order = 0; order < total; ++order) {
    WatchPlan plan;
    Random random(static_cast<std::uint64_t>(order));
    TimePoint now{1h};
    std::uint64_t newest = 1000;
    bool from_scratch = true;
    Duration pause{};
    int rest = order;
    for (int i = 0; i < kLength; ++i, rest /= kEvents) {
      const auto at = plan.next_at(now);
      ASSERT_GE(at - now, pause) << order;
      ASSERT_LE(at - now, std::max<Duration>(pause, 3s)) << order;
      now = std::max(now, at);
      const auto query = plan.begin(now);
      ASSERT_EQ(query.index == 0, from_scratch) << order;
      ASSERT_EQ(query.wait == 0s, from_scratch) << order;
      ASSERT_TRUE(query.index == 0 || query.index == newest) << order;
      pause = 0s;
      from_scratch = false;
      switch (rest % kEvents) {
        case 0: plan.answered(newest, 10, now); break;
        case 1: plan.answered(++newest, 10, now); break;
        case 2:  // backwards, unless nothing was known to compare with
          from_scratch = query.index != 0;
          plan.answered(--newest, 10, now);
          break;
        case 3:
          from_scratch = true;
          pause = WatchPlan::kPollEvery;
          plan.answered(std::nullopt, 10, now);
          break;
        case 4:
          from_scratch = true;
          pause = WatchPlan::kPollEvery;
          plan.answered(0, 10, now);
          break;
        case 5:
          from_scratch = true;
          pause = 50ms;
          plan.failed(std::nullopt, now, random);
          break;
        default:
          from_scratch = true;
          pause = 2s;
          plan.failed(2s, now, random);
          break;
      }
    }
  }
}

TEST(WatchHeaders, OnlyDigitsOf64BitsAreAnIndex) {
  EXPECT_EQ(parse_index("18446744073709551615"), 18446744073709551615U);
  EXPECT_EQ(parse_index("0"), 0U);
  for (const auto* text :
       {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "abc", "18446744073709551616"}) {
    EXPECT_FALSE(parse_index(text)) << text;
  }
}

TEST(WatchHeaders, RetryAfterIsSecondsAlone) {
  EXPECT_EQ(parse_retry_after("5"), Duration(5s));
  EXPECT_FALSE(parse_retry_after("Fri, 20 Nov 2026 10:00:00 GMT"));
  EXPECT_FALSE(parse_retry_after(""));
  EXPECT_TRUE(parse_retry_after("18446744073709551615")) << "bounded, not overflowed";
}

}  // namespace
}  // namespace pilotfish::registry
