#include "registry/consul_watch_plan.hpp"

#include <array>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;
using Verdict = WatchPlan::Verdict;
using Setback = WatchPlan::Setback;

/// Simulated time and an agent that answers as told, at once unless it is told to wait.
class WatchPlanTest : public ::testing::Test {
 protected:
  WatchPlan::Query ask() {
    now = std::max(now, plan.next_at(now));
    sent.push_back(now);
    return plan.begin(now);
  }
  /// By a server, with a list that is new.
  Verdict answered(std::optional<std::uint64_t> index, std::size_t bytes = 100) {
    return plan.answered({.index = index, .body_bytes = bytes}, now);
  }
  Verdict streamed(std::uint64_t index, bool same, bool lost = false) {
    return plan.answered(
        {.index = index, .body_bytes = 100, .streamed = true, .same = same, .lost = lost}, now);
  }
  Verdict confirmed(std::uint64_t index) {
    return plan.answered({.index = index, .body_bytes = 100, .same = true}, now);
  }
  Setback failed(std::optional<Duration> told_to_wait = std::nullopt) {
    return plan.failed(told_to_wait, now, random);
  }
  /// A first answer, and a first streamed one that knows nothing else.
  void begin_streaming() {
    (void)ask();
    EXPECT_EQ(answered(100), Verdict::kBelieve);
    (void)ask();
    EXPECT_EQ(streamed(100, true), Verdict::kNothing);
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
  EXPECT_EQ(second.wait, WatchPlan::kDirectEvery) << "it may be streamed";
  confirmed(17);
  const auto third = ask();
  EXPECT_EQ(third.wait, WatchPlan::kShortWait) << "it is not";
  EXPECT_GT(third.limit, third.wait + third.wait / 16) << "Consul adds up to a sixteenth";
}

TEST_F(WatchPlanTest, AnIndexThatGoesBackwardsIsResetOnce) {
  (void)ask();
  answered(100);
  (void)ask();
  EXPECT_EQ(confirmed(99), Verdict::kBelieve) << "the same list is no news";
  EXPECT_EQ(ask().index, 0U);
  confirmed(99);
  EXPECT_EQ(ask().index, 99U);
}

TEST_F(WatchPlanTest, AnotherListUnderALowerIndexIsBelievedOnceItWasToldForTwoSeconds) {
  (void)ask();
  answered(100);
  (void)ask();
  const auto began = now;
  std::uint64_t replayed = 7;
  while (answered(++replayed) == Verdict::kDoubt) {
    const auto before = now;
    EXPECT_EQ(ask().index, 0U);
    EXPECT_LE(now - before, 300ms);
    ASSERT_LT(now - began, 3s);
  }
  EXPECT_GE(now - began, WatchPlan::kDoubtFor);
  EXPECT_LE(now - began, WatchPlan::kDoubtFor + 500ms);
  EXPECT_EQ(ask().index, replayed);
  EXPECT_EQ(answered(replayed + 1), Verdict::kBelieve) << "indexes have begun anew";
}

TEST_F(WatchPlanTest, AReplayThatArrivesWhereItWasIsBelievedAtOnce) {
  (void)ask();
  answered(100);
  (void)ask();
  EXPECT_EQ(answered(40), Verdict::kDoubt);
  (void)ask();
  EXPECT_EQ(answered(70), Verdict::kDoubt);
  (void)ask();
  EXPECT_EQ(answered(100), Verdict::kBelieve);
}

TEST_F(WatchPlanTest, ARestartIsDoubtedThoughTheWatchFailedMeanwhile) {
  (void)ask();
  answered(100);
  (void)ask();
  EXPECT_EQ(failed(), Setback::kNone);
  (void)ask();
  EXPECT_EQ(failed(), Setback::kDown);
  (void)ask();
  EXPECT_EQ(answered(12), Verdict::kDoubt);
  plan.begin_anew(now);
  (void)ask();
  EXPECT_EQ(answered(12), Verdict::kBelieve) << "another agent has other indexes";
}

TEST_F(WatchPlanTest, WhatIsStreamedProvesNothingSoAServerIsAskedEveryTwoSeconds) {
  begin_streaming();
  auto direct = now;
  for (int i = 0; i < 20; ++i) {
    const auto waiting = ask();
    ASSERT_EQ(waiting.index, 100U);
    ASSERT_LE(waiting.wait, WatchPlan::kDirectEvery);
    now += waiting.wait;
    EXPECT_EQ(streamed(100, true), Verdict::kNothing);
    const auto query = ask();
    ASSERT_EQ(query.index, 0U);
    EXPECT_LE(query.limit, WatchPlan::kDirectLimit) << "no longer than DNS is waited for";
    EXPECT_LE(now - direct, WatchPlan::kDirectEvery + 10ms);
    direct = now;
    EXPECT_EQ(confirmed(100), Verdict::kBelieve);
  }
}

TEST_F(WatchPlanTest, AStreamThatIsNeverSilentIsCheckedAllTheSame) {
  begin_streaming();
  std::uint64_t index = 100;
  auto direct = now;
  for (const auto end = now + 20s; now < end; now += 100ms) {
    if (ask().index == 0) {
      direct = now;
      answered(index);
    } else {
      EXPECT_EQ(streamed(++index, false), Verdict::kBelieve);
    }
    ASSERT_LE(now - direct, WatchPlan::kDirectEvery + 200ms);
  }
}

TEST_F(WatchPlanTest, AWaitIsNeverSoShortThatConsulTakesItForNone) {
  begin_streaming();
  now += WatchPlan::kDirectEvery - 1ns;
  const auto query = ask();
  EXPECT_NE(query.index, 0U);
  EXPECT_GE(query.wait, 100ms);
}

TEST_F(WatchPlanTest, AStreamedLossCountsWhenAServerAgrees) {
  begin_streaming();
  (void)ask();
  EXPECT_EQ(streamed(101, false, true), Verdict::kDoubt);
  const auto before = now;
  EXPECT_EQ(ask().index, 0U);
  EXPECT_EQ(now, before) << "at once";
  EXPECT_EQ(answered(101), Verdict::kBelieve);
  EXPECT_EQ(ask().index, 101U);
}

TEST_F(WatchPlanTest, AServerThatIsBehindTheStreamIsAskedAgainForTwoSecondsAtMost) {
  begin_streaming();
  (void)ask();
  EXPECT_EQ(streamed(105, false, true), Verdict::kDoubt);
  const auto began = now;
  (void)ask();
  while (confirmed(100) == Verdict::kDoubt) {
    EXPECT_EQ(ask().index, 0U);
  }
  EXPECT_GE(now - began, WatchPlan::kDoubtFor);
  EXPECT_LE(now - began, WatchPlan::kDoubtFor + 500ms);
  EXPECT_EQ(ask().index, 105U) << "what the stream says is not asked for again and again";
}

TEST_F(WatchPlanTest, AChangeThatLosesNothingIsBelievedAsItIsStreamed) {
  begin_streaming();
  (void)ask();
  EXPECT_EQ(streamed(101, false), Verdict::kBelieve);
  EXPECT_EQ(ask().index, 101U);
}

TEST_F(WatchPlanTest, AStreamFromAServerThatIsBehindIsNotBelieved) {
  begin_streaming();
  (void)ask();
  EXPECT_EQ(streamed(1, false), Verdict::kDoubt);
  EXPECT_EQ(ask().index, 0U);
  EXPECT_EQ(confirmed(100), Verdict::kBelieve);
}

TEST_F(WatchPlanTest, BlockingQueriesThatFailAloneMakeItAPollOnceASecond) {
  (void)ask();
  answered(100);
  int polls = 0;
  int blocking = 0;
  bool said = false;
  const auto began = now;
  while (now < began + 120s) {
    const auto query = ask();
    if (query.index == 0) {
      answered(100);
    } else {
      ++blocking;
      const auto setback = failed();
      EXPECT_NE(setback, Setback::kDown);
      polls += setback == Setback::kPolls ? 1 : 0;
      EXPECT_TRUE(!said || setback == Setback::kPolls);
      said = setback == Setback::kPolls;
    }
  }
  EXPECT_TRUE(said);
  EXPECT_LE(blocking, 10) << "backed off to a minute";
  EXPECT_GE(blocking, 4) << "but never given up";
  EXPECT_NEAR(static_cast<double>(sent.size()), 120, 20);
}

TEST_F(WatchPlanTest, WhoeverCutsAWaitOfFiveSecondsIsAskedToWaitLess) {
  (void)ask();
  answered(100);
  bool works = false;
  const auto began = now;
  while (now < began + 60s && !works) {
    const auto query = ask();
    if (query.index == 0) {
      answered(100);
    } else if (query.wait >= 5s) {
      now += 5s;
      EXPECT_NE(failed(), Setback::kDown);
    } else {
      now += query.wait;
      confirmed(100);
      works = true;
    }
  }
  EXPECT_TRUE(works);
}

TEST_F(WatchPlanTest, ASingleCutIsAnsweredByADirectQueryAtOnce) {
  (void)ask();
  answered(100);
  (void)ask();
  EXPECT_EQ(failed(), Setback::kNone);
  const auto before = now;
  EXPECT_EQ(ask().index, 0U);
  EXPECT_EQ(now, before);
  EXPECT_EQ(confirmed(100), Verdict::kBelieve);
  EXPECT_NE(ask().index, 0U);
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
      EXPECT_EQ(fresh.answered({.index = index, .body_bytes = 100}, at), Verdict::kBelieve);
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
  Duration longest{};
  for (int i = 0; i < 12; ++i) {
    EXPECT_EQ(failed(), Setback::kDown);
    const auto delay = plan.next_at(now) - now;
    const auto step = std::min<Duration>(100ms * (1 << i), 3s);
    EXPECT_GE(delay, step / 2) << i;
    EXPECT_LE(delay, std::max<Duration>(step, 50ms)) << i;
    longest = std::max(longest, delay);
    EXPECT_EQ(ask().index, 0U);
  }
  EXPECT_GE(longest, 1500ms);
  answered(3);
  EXPECT_EQ(ask().index, 3U);
  EXPECT_EQ(failed(), Setback::kNone);
  (void)ask();
  EXPECT_EQ(failed(), Setback::kDown);
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
  EXPECT_EQ(failed(30s), Setback::kDown) << "told to wait: not even a direct query";
  now += 1s;
  plan.retry_now(now);
  EXPECT_LE(plan.next_at(now), now);
  EXPECT_EQ(ask().index, 0U);
}

TEST_F(WatchPlanTest, TheLargerTheBodyTheLongerTheWaitUpToHalfAMinute) {
  (void)ask();
  answered(1, 1000);
  (void)ask();
  answered(1, 1000);
  EXPECT_EQ(ask().wait, 10s);
  answered(2, std::size_t{5} * 1024 * 1024);
  EXPECT_EQ(ask().wait, 20s);
  answered(3, std::size_t{60} * 1024 * 1024);
  EXPECT_EQ(ask().wait, 30s);
}

/// Every order of five events: whatever comes, the rate holds, nobody waits for longer than what
/// was promised, a failure is followed by a query without index, what was lost or went back is
/// never believed at its first word, and a server is heard every two seconds while all is streamed.
TEST(WatchPlanOrders, NoOrderOfEventsBreaksPaceIndexOrDoubt) {
  constexpr int kEvents = 9;
  constexpr int kLength = 5;
  int total = 1;
  for (int i = 0; i < kLength; ++i) {
    total *= kEvents;
  }
  for (int order = 0; order < total; ++order) {
    WatchPlan plan;
    Random random(static_cast<std::uint64_t>(order));
    TimePoint now{1h};
    const TimePoint began = now;
    std::uint64_t newest = 1000;
    std::uint64_t believed = 0;
    bool direct_next = true;
    int rest = order;
    for (int i = 0; i < kLength; ++i, rest /= kEvents) {
      const auto at = plan.next_at(now);
      ASSERT_LE(at - now, 3s) << order;
      now = std::max(now, at);
      const auto query = plan.begin(now);
      ASSERT_TRUE(query.index == 0 || !direct_next) << order;
      ASSERT_EQ(query.wait == 0s, query.index == 0) << order;
      ASSERT_LE(query.wait, WatchPlan::kShortWait) << order;
      ASSERT_GE(query.limit, query.wait + 1s) << order;
      direct_next = false;
      const bool waited = query.index != 0;
      const auto tell = [&](WatchPlan::Answer answer) {
        answer.body_bytes = 10;
        const auto verdict = plan.answered(answer, now);
        const auto index = answer.index.value_or(0);
        const bool back = !answer.same && index != 0 && index < believed;
        ASSERT_TRUE(!back || verdict != Verdict::kBelieve || now - began >= 2s) << order;
        const bool streamed = answer.streamed && waited;
        ASSERT_TRUE(!(streamed && answer.lost) || verdict == Verdict::kDoubt) << order;
        ASSERT_TRUE(!(streamed && answer.same) || verdict == Verdict::kNothing) << order;
        if (verdict == Verdict::kBelieve) {
          believed = std::max(believed, index);
        }
        direct_next = verdict == Verdict::kDoubt || index == 0;
      };
      switch (rest % kEvents) {
        case 0: tell({.index = newest, .same = true}); break;
        case 1: tell({.index = ++newest}); break;
        case 2: tell({.index = newest -= 10}); break;
        case 3: tell({.index = std::nullopt}); break;
        case 4: tell({.index = newest, .streamed = true, .same = true}); break;
        case 5: tell({.index = ++newest, .streamed = true}); break;
        case 6: tell({.index = ++newest, .streamed = true, .lost = true}); break;
        case 7:
          direct_next = true;
          ASSERT_EQ(plan.failed(std::nullopt, now, random) == Setback::kDown, !waited) << order;
          break;
        default:
          direct_next = true;
          ASSERT_EQ(plan.failed(2s, now, random), Setback::kDown) << order;
          ASSERT_GE(plan.next_at(now) - now, 2s) << order;
          break;
      }
      if (HasFatalFailure()) {
        return;
      }
      now += waited ? query.wait / 2 : 5ms;
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
