#include "balancer/tier_selection.hpp"

#include <gmock/gmock.h>
#include <tuple>

#include "balancer/size_window.hpp"
#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using testing::HasSubstr;

InstanceList range(int first, int count) {
  InstanceList list;
  for (int i = 0; i < count; ++i) {
    list.push_back(instance(first + i));
  }
  return list;
}

ClusterOptions needing(std::uint32_t value, bool percent = false) {
  ClusterOptions options;
  options.fallback.min_healthy = {value, percent};
  return options;
}

TEST(SizeWindow, RemembersTheLargestSizeForItsWidthAfterItEnded) {
  SizeWindow window(10min);
  const TimePoint start{1h};
  window.set(10, start);
  window.set(3, start + 1min);
  window.set(5, start + 2min);
  EXPECT_EQ(window.largest(start + 10min), 10U);
  EXPECT_EQ(window.next_change(), start + 11min);
  EXPECT_EQ(window.largest(start + 11min), 5U);
  EXPECT_EQ(window.next_change(), TimePoint::max());
  EXPECT_EQ(window.largest(start + 100h), 5U) << "what stands counts however old it is";
}

TEST(TierSelection, PercentageIsOfTheLargestSizeInTenMinutes) {
  ClusterBox box(needing(50, true));
  box.answer(0, range(1, 10));
  box.answer(1, range(21, 2));
  box.answer(0, range(1, 5));
  EXPECT_EQ(box.cluster.serving_tier(), 0) << "5 of 10 are half";
  box.answer(0, range(1, 4));
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("tier 0 (v4) has 4 of 5 needed"));
  box.pass(10min - 1s);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.pass(1s);
  EXPECT_TRUE(box.cluster.enough_up_to(0)) << "the 10 were 10 minutes ago, the 5 leave with them";
  box.pass(10s);
  EXPECT_EQ(box.cluster.serving_tier(), 0) << "after fail_back_after, with 4 as the new largest";
}

TEST(TierSelection, PercentageRoundsUpAndNeverBelowOne) {
  ClusterBox box(needing(34, true), {"only"});
  box.answer(0, range(1, 3));
  box.answer(0, range(1, 1));
  EXPECT_FALSE(box.cluster.enough_up_to(0)) << "34 % of 3 are 2";
  ClusterBox zero(needing(0, true), {"a", "b"});
  zero.answer(1, range(1, 1));
  zero.empty(0);
  EXPECT_EQ(zero.cluster.serving_tier(), 1) << "a tier without an instance is never enough";
}

TEST(TierSelection, NobodyEnoughMeansTheBestThatHasAny) {
  ClusterBox box(needing(3));
  box.answer(1, range(21, 2));
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("fewer than the 3 needed"));
  box.answer(0, range(1, 1));
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  box.answer(1, range(21, 3));
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.cluster.take_events().tier_changes.back().reason, TierReason::kTooFew);
  box.answer(1, range(21, 2));
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  EXPECT_EQ(box.cluster.take_events().tier_changes.back().reason, TierReason::kBestOfBad);
}

TEST(TierSelection, ABetterTierInItsWaitServesAtOnceWhenTheWorseOneEmpties) {
  ClusterBox box;
  box.answer(0, range(1, 1));
  box.answer(1, range(21, 1));
  box.empty(0);
  box.answer(0, range(1, 1));
  box.pass(3s);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.empty(1);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(TierSelection, AWorseTierIsPreferredToABetterOneThatHasNotWaited) {
  ClusterBox box({}, {"v4", "v3", "any"});
  box.answer(0, range(1, 1));
  box.answer(1, range(21, 1));
  box.answer(2, range(31, 1));
  box.empty(0);
  box.answer(0, range(1, 1));
  box.pass(5s);
  box.empty(1);
  EXPECT_EQ(box.cluster.serving_tier(), 2) << "tier 0 came back 5 s ago only";
  box.pass(5s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(TierSelection, AFlappingBetterTierNeverServes) {
  ClusterBox box;
  box.answer(0, range(1, 1));
  box.answer(1, range(21, 1));
  box.empty(0);
  for (int i = 0; i < 50; ++i) {
    box.answer(0, range(1, 1));
    box.pass(9s);
    ASSERT_EQ(box.cluster.serving_tier(), 1);
    box.empty(0);
  }
}

TEST(TierSelection, FailedAnswersDoNotInterruptHealth) {
  ClusterBox box;
  box.answer(0, range(1, 1));
  box.answer(1, range(21, 1));
  box.empty(0);
  box.answer(0, range(1, 1));
  box.pass(5s);
  box.fail(0);
  box.pass(5s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(TierSelection, AFirstAnswerAfterFailuresDoesNotWait) {
  ClusterBox box;
  box.fail(0);
  box.answer(1, range(21, 1));
  EXPECT_THAT(box.cluster.reason(), HasSubstr("the last lookup of tier 0 (v4) failed (timeout)"));
  box.pass(1min);
  box.answer(0, range(1, 1));
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(TierSelection, ATierThatWasEmptyAtFirstWaitsLikeAnyOther) {
  ClusterBox box;
  box.empty(0);
  box.answer(1, range(21, 1));
  box.answer(0, range(1, 1));
  EXPECT_EQ(box.cluster.serving_tier(), 1);
}

TEST(TierSelection, AnotherTierEndsTheHoldAtOnce) {
  ClusterBox box;
  box.answer(0, range(1, 2));
  box.empty(0);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  EXPECT_NE(box.pick(), nullptr);
  box.answer(1, range(21, 1));
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.cluster.take_events().departed.size(), 2U);
  box.pass(1min);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
}

TEST(TierSelection, TheSameInstancesBackDuringTheHoldArriveAndDepartNowhere) {
  ClusterBox box;
  box.answer(0, range(1, 2));
  std::ignore = box.cluster.take_events();
  box.empty(0);
  box.pass(9s);
  box.answer(0, range(1, 2));
  const auto events = box.cluster.take_events();
  EXPECT_TRUE(events.arrived.empty());
  EXPECT_TRUE(events.departed.empty());
  EXPECT_TRUE(events.tier_changes.empty());
  EXPECT_EQ(events.notes.size(), 2U) << "the hold, and its end";
  box.pass(1min);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(TierSelection, ZeroHoldServesNoneAtOnce) {
  ClusterOptions options;
  options.fallback.hold_empty = 0s;
  ClusterBox box(options);
  box.answer(0, range(1, 2));
  box.empty(0);
  EXPECT_EQ(box.cluster.serving_tier(), -1);
  EXPECT_EQ(box.pick(), nullptr);
}

TEST(TierSelection, InstancesOfWeightZeroAreNoHealthUnlessAllAre) {
  ClusterBox box;
  box.answer(0, {instance(1, 0), instance(2, 5)});
  box.answer(1, range(21, 1));
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  box.fail_times(box.state(2), 5);
  EXPECT_EQ(box.cluster.serving_tier(), 1) << "only the one of weight 0 is left";
  ClusterBox zeros;
  zeros.answer(0, {instance(1, 0), instance(2, 0)});
  zeros.answer(1, range(21, 1));
  EXPECT_EQ(zeros.cluster.serving_tier(), 0);
}

TEST(TierSelection, NewOptionsApplyAtOnce) {
  ClusterBox box;
  box.answer(0, range(1, 2));
  box.answer(1, range(21, 3));
  auto options = needing(3);
  box.cluster.set_options(options, box.now);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  options = needing(1);
  options.fallback.fail_back_after = 2s;
  box.cluster.set_options(options, box.now);
  box.pass(2s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(TierSelection, ReasonsHaveNames) {
  EXPECT_EQ(to_string(TierReason::kStart), "start");
  EXPECT_EQ(to_string(TierReason::kTooFew), "too_few");
  EXPECT_EQ(to_string(TierReason::kFailBack), "fail_back");
  EXPECT_EQ(to_string(TierReason::kBestOfBad), "best_of_bad");
  EXPECT_EQ(to_string(TierReason::kAllEmpty), "all_empty");
  EXPECT_EQ(to_string(TierReason::kRecovered), "recovered");
}

}  // namespace
}  // namespace pilotfish::balancer
