#include "balancer/cluster.hpp"

#include <gmock/gmock.h>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using testing::HasSubstr;

TEST(Cluster, SaysWhyNothingServesBeforeTheFirstAnswer) {
  ClusterBox box;
  EXPECT_EQ(box.cluster.serving_tier(), -1);
  EXPECT_EQ(box.pick(), nullptr);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("no answer"));
  EXPECT_EQ(box.cluster.next_deadline(), TimePoint::max());
}

TEST(Cluster, ServesTheBestTierAtStartInWhateverOrderTheAnswersCome) {
  ClusterBox box;
  box.answer(1, {instance(3), instance(4)});
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.answer(0, {instance(1)});
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  const auto events = box.cluster.take_events();
  ASSERT_EQ(events.tier_changes.size(), 2U);
  EXPECT_EQ(events.tier_changes[1].reason, TierReason::kStart);
  EXPECT_EQ(events.arrived.size(), 3U);
}

TEST(Cluster, GoesToTheNextTierAtOnceWhenOneIsEmptyAndSaysSoWithNumbers) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(3), instance(4)});
  box.empty(0);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.cluster.reason(),
            "tier 0 (v4) has 0 of 1 needed instances; tier 1 (v3) serves with 2 instances");
  const auto events = box.cluster.take_events();
  EXPECT_EQ(events.tier_changes.back().reason, TierReason::kTooFew);
  ASSERT_EQ(events.departed.size(), 1U);
  EXPECT_EQ(events.departed[0]->name, "10.0.0.1:80");
}

TEST(Cluster, ComesBackOnlyAfterUnbrokenHealth) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(3)});
  box.empty(0);
  box.answer(0, {instance(1)});
  box.pass(9s);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("waits for 10 s of unbroken health"));
  box.empty(0);
  box.answer(0, {instance(1)});
  box.pass(9999ms);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.pass(1ms);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  EXPECT_EQ(box.cluster.take_events().tier_changes.back().reason, TierReason::kFailBack);
}

TEST(Cluster, HoldsTheLastGoodSetWhenEveryTierIsEmptyAndThenServesNone) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  const auto asked = box.cluster.serving_asked();
  box.empty(1);
  box.pass(1s);
  box.empty(0);
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  EXPECT_EQ(box.cluster.serving_asked(), asked);
  EXPECT_FALSE(box.cluster.enough_up_to(1));
  EXPECT_THAT(box.cluster.reason(), HasSubstr("held for 10 s"));
  box.pass(5s);
  box.fail(0);
  box.empty(0);
  box.pass(4999ms);
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  box.pass(1ms);
  EXPECT_EQ(box.pick_name(), "none");
  EXPECT_EQ(box.cluster.serving_tier(), -1);
  EXPECT_EQ(box.cluster.take_events().tier_changes.back().reason, TierReason::kAllEmpty);
  box.answer(1, {instance(3)});
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.cluster.take_events().tier_changes.back().reason, TierReason::kRecovered);
}

TEST(Cluster, KeepsTheLastGoodSetThroughFailedAnswersWithoutLimit) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  for (int i = 0; i < 100; ++i) {
    box.fail(0);
    box.pass(1h);
  }
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  EXPECT_THAT(box.cluster.reason(), HasSubstr("failed (timeout)"));
}

TEST(Cluster, TellsOfAnEjectionItsCauseItsTimeAndItsShare) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2), instance(3), instance(4)});
  for (const auto outcome : {Outcome::kReset, Outcome::kTimeout, Outcome::kGatewayError,
                             Outcome::kConnectFailure, Outcome::kGatewayError}) {
    box.run(box.state(1), outcome);
  }
  EXPECT_EQ(box.cluster.ejection_text(box.state(1)),
            "5 failures in a row, the last: answered 502, 503 or 504; out for 30 s, then one "
            "request probes it; 1 of 4 instances of tier 0 (v4) now out, at most 50 % (and one) "
            "may be");
  box.pass(30s);
  box.run(box.state(1), Outcome::kTimeout);
  const auto again = box.cluster.ejection_text(box.state(1));
  EXPECT_THAT(again, HasSubstr("the last: no answer within request_timeout; out for 60 s"));
  EXPECT_THAT(again, HasSubstr("its 2. ejection in a row"));
}

TEST(Cluster, TellsWhatShareOfItsWeightANewInstanceHasInSlowStart) {
  ClusterOptions options;
  options.slow_start = 10s;
  ClusterBox box(options);
  box.answer(0, {instance(1)});
  box.pass(1s);
  box.answer(0, {instance(1), instance(2)});
  box.pass(5s);
  (void)box.pick();
  for (const auto& view : box.cluster.view(box.now)) {
    EXPECT_EQ(view.why, view.state->name == "10.0.0.2:80"
                            ? "slow start: picked at 55 % of its weight so far"
                            : "");
  }
}

}  // namespace
}  // namespace pilotfish::balancer
