#include "balancer/retry.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace pilotfish::balancer {
namespace {

const TimePoint kNow{100h};

RetryBudget spent_budget() {
  RetryBudget budget(20);
  while (budget.try_spend(kNow)) {
  }
  return budget;
}

RetryQuestion asking(RetryCause cause) {
  RetryQuestion question;
  question.cause = cause;
  question.idempotent = true;
  question.connected = cause != RetryCause::kConnect;
  return question;
}

RetryVerdict decide(const RetryQuestion& question, const RetryOptions& options = {}) {
  RetryBudget budget(20);
  return decide_retry(options, question, budget, kNow);
}

TEST(RetryBudget, AlwaysAllowsThreeASecond) {
  RetryBudget budget(20);
  for (int second = 0; second < 30; ++second) {
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(budget.try_spend(kNow + second * 1s));
    }
    EXPECT_FALSE(budget.try_spend(kNow + second * 1s + 999ms));
  }
}

TEST(RetryBudget, AllowsItsShareOfTheRequestsOfTenSecondsAndNoMore) {
  RetryBudget budget(20);
  int granted = 0;
  for (int i = 0; i < 1000; ++i) {
    budget.on_request(kNow + i * 5ms);
  }
  const auto then = kNow + 5s;
  for (int i = 0; i < 1000; ++i) {
    granted += budget.try_spend(then) ? 1 : 0;
  }
  EXPECT_EQ(granted, 200);
}

TEST(RetryBudget, ForgetsRequestsAfterTenSeconds) {
  RetryBudget budget(20);
  for (int i = 0; i < 1000; ++i) {
    budget.on_request(kNow);
  }
  int granted = 0;
  for (int i = 0; i < 1000; ++i) {
    granted += budget.try_spend(kNow + 10s) ? 1 : 0;
  }
  EXPECT_EQ(granted, 3);
}

TEST(RetryBudget, RefillsAsRetriesAgeAndSurvivesALongPause) {
  RetryBudget budget(10);
  for (int i = 0; i < 1000; ++i) {
    budget.on_request(kNow + 9s);
  }
  while (budget.try_spend(kNow)) {
  }
  EXPECT_FALSE(budget.try_spend(kNow + 9s)) << "100 are out";
  EXPECT_TRUE(budget.try_spend(kNow + 100h));
}

TEST(RetryBudget, GoesOnWhenTimeStandsStillOrRunsBack) {
  RetryBudget budget(100);
  budget.on_request(kNow + 5s);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(budget.try_spend(kNow));
  }
  EXPECT_FALSE(budget.try_spend(kNow));
}

TEST(RetryBudget, FollowsANewShare) {
  RetryBudget budget(0);
  for (int i = 0; i < 100; ++i) {
    budget.on_request(kNow);
  }
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(budget.try_spend(kNow));
  }
  EXPECT_FALSE(budget.try_spend(kNow));
  budget.set_percent(50);
  EXPECT_TRUE(budget.try_spend(kNow));
}

TEST(Retry, AConnectFailureIsSafeForEveryMethodAndFreeOfTheBudget) {
  auto question = asking(RetryCause::kConnect);
  question.idempotent = false;
  auto budget = spent_budget();
  EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kOtherInstance);
  question.retries_so_far = 2;
  EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kNo);
}

TEST(Retry, APostThatMayHaveArrivedIsNeverRepeated) {
  for (const auto cause : {RetryCause::kReset, RetryCause::k502, RetryCause::k503, RetryCause::k504,
                           RetryCause::kReused}) {
    auto question = asking(cause);
    question.idempotent = false;
    question.reused_connection = cause == RetryCause::kReused;
    EXPECT_EQ(decide(question), RetryVerdict::kNo) << to_string(cause);
  }
}

TEST(Retry, NothingIsRepeatedOnceTheAnswerWasPassedOnOrTheBodyIsGone) {
  for (int cause = 0; cause < static_cast<int>(kRetryCauseCount); ++cause) {
    auto question = asking(static_cast<RetryCause>(cause));
    question.answer_started = true;
    EXPECT_EQ(decide(question), RetryVerdict::kNo);
    question.answer_started = false;
    question.body_replayable = false;
    EXPECT_EQ(decide(question), RetryVerdict::kNo);
  }
}

TEST(Retry, AnsweredTriesNeedTheBudget) {
  auto budget = spent_budget();
  EXPECT_EQ(decide_retry({}, asking(RetryCause::k503), budget, kNow), RetryVerdict::kDenied);
  EXPECT_EQ(decide(asking(RetryCause::k503)), RetryVerdict::kOtherInstance);
}

TEST(Retry, ADeadReusedConnectionIsRepeatedOnceFreeOfBothCounts) {
  auto question = asking(RetryCause::kReused);
  question.reused_connection = true;
  question.retries_so_far = 99;
  question.another_instance = false;
  auto budget = spent_budget();
  EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kFreshConnection);
  question.reuse_repeat_spent = true;
  EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kNo);
  question.retries_so_far = 0;
  question.another_instance = true;
  EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kDenied);
}

TEST(Retry, NoOtherInstanceMeansNoRetry) {
  auto question = asking(RetryCause::kConnect);
  question.another_instance = false;
  EXPECT_EQ(decide(question), RetryVerdict::kNo);
}

TEST(Retry, ARetryThatIsNotMadeCostsNothing) {
  RetryBudget budget(0);
  auto question = asking(RetryCause::k503);
  question.retries_so_far = 2;
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kNo);
  }
  question.retries_so_far = 0;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(decide_retry({}, question, budget, kNow), RetryVerdict::kOtherInstance);
  }
}

TEST(Retry, HasNamesForItsCauses) {
  EXPECT_EQ(to_string(RetryCause::kConnect), "connect");
  EXPECT_EQ(to_string(RetryCause::kReset), "reset");
  EXPECT_EQ(to_string(RetryCause::k502), "502");
  EXPECT_EQ(to_string(RetryCause::k503), "503");
  EXPECT_EQ(to_string(RetryCause::k504), "504");
  EXPECT_EQ(to_string(RetryCause::kReused), "reused");
}

// Every combination of facts against the promises, stated one by one.
TEST(RetryTable, HoldsForEveryCombination) {
  int asked = 0;
  for (int bits = 0; bits < 1 << 8; ++bits) {
    const auto bit = [bits](int number) { return (bits >> number & 1) != 0; };
    for (int cause = 0; cause < static_cast<int>(kRetryCauseCount); ++cause) {
      for (std::uint32_t retries = 0; retries < 3; ++retries) {
        for (const bool enabled : {true, false}) {
          const RetryQuestion question{.cause = static_cast<RetryCause>(cause),
                                       .retries_so_far = retries,
                                       .idempotent = bit(0),
                                       .connected = bit(1),
                                       .answer_started = bit(2),
                                       .body_replayable = bit(3),
                                       .reused_connection = bit(4),
                                       .reuse_repeat_spent = bit(5),
                                       .another_instance = bit(6)};
          RetryOptions options;
          options.on_connect = options.on_reset = enabled;
          options.on_502 = options.on_503 = options.on_504 = enabled;
          auto budget = bit(7) ? spent_budget() : RetryBudget(20);
          const auto verdict = decide_retry(options, question, budget, kNow);
          ++asked;

          const bool repeats =
              verdict == RetryVerdict::kOtherInstance || verdict == RetryVerdict::kFreshConnection;
          const bool refused = question.cause == RetryCause::kConnect && !question.connected;
          if (repeats) {
            ASSERT_TRUE(question.idempotent || refused) << "unsafe";
            ASSERT_FALSE(question.answer_started) << "the client has part of an answer";
            ASSERT_TRUE(question.body_replayable);
          }
          if (verdict == RetryVerdict::kOtherInstance) {
            ASSERT_LT(retries, options.attempts);
            ASSERT_TRUE(question.another_instance);
            ASSERT_TRUE(enabled);
            ASSERT_TRUE(refused || !bit(7)) << "went past the budget";
          }
          if (verdict == RetryVerdict::kFreshConnection) {
            ASSERT_TRUE(question.reused_connection && !question.reuse_repeat_spent);
            ASSERT_TRUE(question.cause == RetryCause::kReused ||
                        question.cause == RetryCause::kReset);
          }
          if (verdict == RetryVerdict::kDenied) {
            ASSERT_TRUE(bit(7) && !refused) << "only the budget denies";
          }
          // No saving is left out.
          if ((question.idempotent || refused) && !question.answer_started &&
              question.body_replayable && enabled && retries < 2 && question.another_instance) {
            ASSERT_NE(verdict, RetryVerdict::kNo);
          }
        }
      }
    }
  }
  EXPECT_EQ(asked, 256 * 6 * 3 * 2);
}

TEST(RetryPause, WaitsBeforeTheSameInstanceAndFromTheThirdTryOn) {
  EXPECT_FALSE(waits_first(0, false)) << "the first try";
  EXPECT_FALSE(waits_first(0, true)) << "a free repeat";
  EXPECT_FALSE(waits_first(1, false)) << "the second try, on another instance";
  EXPECT_TRUE(waits_first(1, true));
  EXPECT_TRUE(waits_first(2, false));
  EXPECT_TRUE(waits_first(2, true));
  EXPECT_TRUE(waits_first(100, false));
}

TEST(RetryPause, DoublesUpToTenTimesItsBase) {
  const std::vector<Duration> steps{25ms, 50ms, 100ms, 200ms, 250ms, 250ms, 250ms};
  Random random(1);
  for (std::uint32_t i = 0; i < steps.size(); ++i) {
    for (int draw = 0; draw < 200; ++draw) {
      const auto pause = retry_pause(25ms, i, random);
      ASSERT_LE(pause, steps[i]);
      ASSERT_GE(pause, steps[i] / 2);
    }
  }
  EXPECT_LE(retry_pause(25ms, 4'000'000'000U, random), 250ms);
}

TEST(RetryPause, IsJittered) {
  Random random(1);
  EXPECT_NE(retry_pause(25ms, 0, random), retry_pause(25ms, 0, random));
}

TEST(RetryPause, OfNothingIsNothing) {
  Random random(1);
  EXPECT_EQ(retry_pause(Duration{}, 3, random), Duration{});
}

TEST(Retry, APostThatNobodyCanHaveReadIsRepeatedOnceOnAFreshConnection) {
  auto question = asking(RetryCause::kReset);
  question.idempotent = false;
  question.reused_connection = true;
  EXPECT_EQ(decide(question), RetryVerdict::kNo);
  question.untouched = true;
  EXPECT_EQ(decide(question), RetryVerdict::kFreshConnection);
  question.reuse_repeat_spent = true;
  EXPECT_EQ(decide(question), RetryVerdict::kOtherInstance);
  question.body_replayable = false;
  EXPECT_EQ(decide(question), RetryVerdict::kNo);
}

}  // namespace
}  // namespace pilotfish::balancer
