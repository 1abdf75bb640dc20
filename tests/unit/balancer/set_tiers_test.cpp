#include <gmock/gmock.h>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using NewTier = Cluster::NewTier;

ClusterOptions ejecting() {
  ClusterOptions options;
  options.eject.consecutive = 1;
  options.eject.base = 5min;
  options.fallback.fail_back_after = 10s;
  return options;
}

TEST(SetTiers, AnInstanceOfBothSourcesStaysEjectedAndItsRequestsCount) {
  ClusterBox box(ejecting(), {"old"});
  box.answer(0, {instance(1), instance(2)});
  auto* bad = box.pick();
  const std::string name = bad->name;
  box.run(*bad, Outcome::kReset);
  ASSERT_TRUE(bad->ejected);
  auto* busy = box.pick();
  box.cluster.started(*busy, box.now);
  (void)box.cluster.take_events();

  const std::vector<NewTier> tiers{{"new", -1, ok({instance(1), instance(2), instance(3)})}};
  box.cluster.set_tiers(tiers, box.now);
  EXPECT_TRUE(bad->ejected);
  EXPECT_EQ(bad->tier, 0);
  EXPECT_EQ(busy->in_flight, 1U);
  const auto events = box.cluster.take_events();
  ASSERT_EQ(events.arrived.size(), 1U);
  EXPECT_EQ(events.arrived[0]->endpoint, at(3));
  EXPECT_TRUE(events.departed.empty());
  for (int i = 0; i < 50; ++i) {
    EXPECT_NE(box.pick_name(), name);
  }
}

TEST(SetTiers, WhoeverIsOnlyInTheFormerTiersDeparts) {
  ClusterBox box({}, {"old"});
  box.answer(0, {instance(1), instance(2)});
  (void)box.cluster.take_events();
  const std::vector<NewTier> tiers{{"new", -1, ok({instance(2)})}};
  box.cluster.set_tiers(tiers, box.now);
  const auto events = box.cluster.take_events();
  ASSERT_EQ(events.departed.size(), 1U);
  EXPECT_EQ(events.departed[0]->endpoint, at(1));
  EXPECT_EQ(box.pick_name(), at(2).to_string());
  EXPECT_THAT(box.cluster.tier_names(), ::testing::ElementsAre("new"));
}

TEST(SetTiers, AContinuedTierGoesOnServingWhereverItStandsNow) {
  ClusterBox box(ejecting(), {"v4", "v3"});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  ASSERT_EQ(box.cluster.serving_tier(), 0);
  (void)box.cluster.take_events();
  const std::vector<NewTier> tiers{{"v5", -1, {}}, {"v4", 0, {}}};
  box.cluster.set_tiers(tiers, box.now);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.pick_name(), at(1).to_string());
  EXPECT_TRUE(box.cluster.take_events().tier_changes.empty());
  // The first answer of a better one counts as having been so all along, as at start.
  box.answer(0, {instance(5)});
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(SetTiers, ANewOrderCountsAtOnce) {
  ClusterBox box(ejecting(), {"v4", "v3"});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  const std::vector<NewTier> turned{{"v3", 1, {}}, {"v4", 0, {}}};
  box.cluster.set_tiers(turned, box.now);
  EXPECT_EQ(box.cluster.serving_tier(), 0) << box.cluster.reason();
  EXPECT_EQ(box.pick_name(), at(2).to_string());
  // One that fails in between waits as ever.
  box.empty(0);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.answer(0, {instance(2)});
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.pass(11s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(SetTiers, AShareBecomesATierAndBack) {
  ClusterBox box(ejecting(), {"v4", "split v5"}, {1, {0, 50}});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  (void)box.cluster.take_events();
  const std::vector<NewTier> first{{"v5", 1, {}}, {"v4", 0, {}}};
  box.cluster.set_tiers(first, box.now);
  EXPECT_EQ(box.pick_name(), at(2).to_string());
  EXPECT_EQ(box.cluster.draw_share(), 0U);
  const std::vector<NewTier> back{{"v4", 1, {}}, {"split v5", 0, {}}};
  box.cluster.set_tiers(back, box.now, {1, {0, 1000}});
  EXPECT_EQ(box.pick_name(), at(1).to_string());
  EXPECT_EQ(box.cluster.draw_share(), 0b10U);
  EXPECT_TRUE(box.cluster.take_events().departed.empty());
}

TEST(SetTiers, WaitingForFailBackGoesOnForAContinuedTier) {
  ClusterBox box(ejecting(), {"v4", "v3"});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  box.empty(0);
  ASSERT_EQ(box.cluster.serving_tier(), 1);
  box.answer(0, {instance(1)});
  box.pass(8s);
  const std::vector<NewTier> tiers{{"v4", 0, {}}, {"v3", 1, {}}, {"any", -1, {}}};
  box.cluster.set_tiers(tiers, box.now);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.pass(3s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(SetTiers, AnEmptyNewSourceServesNothingAndRecoversLater) {
  ClusterBox box({}, {"old"});
  box.answer(0, {instance(1)});
  const std::vector<NewTier> tiers{{"new", -1, ended(LookupResult::kNxdomain)}};
  box.cluster.set_tiers(tiers, box.now);
  EXPECT_EQ(box.cluster.serving_tier(), -1);
  EXPECT_EQ(box.pick_name(), "none");
  box.answer(0, {instance(1)});
  EXPECT_EQ(box.pick_name(), at(1).to_string());
}

TEST(SetTiers, ANewInstanceRampsOnlyWhereItsTierServedBefore) {
  auto options = ejecting();
  options.slow_start = 10s;
  ClusterBox box(options, {"old"});
  box.answer(0, {instance(1)});
  const std::vector<NewTier> other{{"new", -1, ok({instance(2)})}};
  box.cluster.set_tiers(other, box.now);
  EXPECT_FALSE(box.pick()->ramps);
  const std::vector<NewTier> same{{"new", 0, ok({instance(2), instance(3)})}};
  box.cluster.set_tiers(same, box.now);
  const auto view = box.cluster.view(box.now);
  ASSERT_EQ(view.size(), 2U + 1U) << "one has left";
  for (const auto& one : view) {
    EXPECT_EQ(one.state->ramps, one.state->endpoint == at(3)) << one.state->name;
  }
}

}  // namespace
}  // namespace pilotfish::balancer
