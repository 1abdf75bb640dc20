// SRV priority and weight, retries across groups and tiers, slow start, and what view() says.
#include <gmock/gmock.h>
#include <set>
#include <tuple>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using testing::HasSubstr;

/// Picks like a request that is retried until nothing untried is left.
std::vector<std::string> order_of(ClusterBox& box) {
  std::vector<InstanceState*> tried;
  std::vector<std::string> names;
  while (box.cluster.another(tried)) {
    auto* state = box.pick(tried);
    EXPECT_EQ(std::ranges::count(tried, state), 0) << "a tried one although another exists";
    tried.push_back(state);
    names.push_back(state->name);
  }
  return names;
}

TEST(ClusterSrv, OnlyTheLowestPriorityNumberWithAnEligibleInstanceServes) {
  ClusterBox box({}, {"srv"});
  box.answer(0, {instance(1, 1, 10), instance(2, 1, 10), instance(3, 1, 20)});
  for (int i = 0; i < 300; ++i) {
    EXPECT_NE(box.request(Outcome::kSuccess)->endpoint, at(3));
  }
  EXPECT_EQ(box.view_of(3).why, "priority 20 waits behind priority 10");
  EXPECT_EQ(box.view_of(1).why, "");
  box.fail_times(box.state(1), 5);
  box.answer(0, {instance(1, 1, 10), instance(3, 1, 20)});
  EXPECT_EQ(box.pick_name(), "10.0.0.3:80") << "the only one of priority 10 is ejected";
}

TEST(ClusterSrv, WeightZeroComesAfterAllWeightedOnesOfEveryPriority) {
  ClusterBox box({}, {"srv"});
  box.answer(0, {instance(1, 0, 10), instance(2, 5, 10), instance(3, 1, 20), instance(4, 0, 5)});
  EXPECT_EQ(order_of(box),
            (std::vector<std::string>{"10.0.0.2:80", "10.0.0.3:80", "10.0.0.4:80", "10.0.0.1:80"}));
  EXPECT_THAT(box.view_of(1).why, HasSubstr("weight 0"));
  EXPECT_EQ(box.shares(1000)["10.0.0.2:80"], 1000);
}

TEST(ClusterSrv, AllWeightsZeroMeansEqualShares) {
  ClusterBox box({}, {"srv"});
  box.answer(0, {instance(1, 0), instance(2, 0), instance(3, 0)});
  for (const auto& [name, count] : box.shares(3000)) {
    EXPECT_NEAR(count, 1000, 120) << name;
  }
  EXPECT_EQ(box.view_of(1).why, "");
}

TEST(ClusterSrv, SharesFollowWeightsOneRequestAtATimeToo) {
  ClusterBox box({}, {"srv"});
  box.answer(0, {instance(1, 10), instance(2, 30), instance(3, 60)});
  auto shares = box.shares(20000);
  EXPECT_NEAR(shares["10.0.0.1:80"], 2000, 200);
  EXPECT_NEAR(shares["10.0.0.2:80"], 6000, 300);
  EXPECT_NEAR(shares["10.0.0.3:80"], 12000, 400);
}

TEST(ClusterSrv, AChangedWeightKeepsTheLiveState) {
  ClusterBox box({}, {"srv"});
  box.answer(0, {instance(1, 10), instance(2, 10)});
  auto& state = box.state(1);
  box.cluster.started(state, box.now);
  box.fail_times(state, 3);
  box.answer(0, {instance(1, 90), instance(2, 10)});
  EXPECT_EQ(&box.state(1), &state);
  EXPECT_EQ(state.weight, 90U);
  EXPECT_EQ(state.in_flight, 1U);
  EXPECT_EQ(state.consecutive_failures, 3U);
}

TEST(ClusterRetry, GoesOnInOtherTiersAndThenOverTheTriedOnes) {
  ClusterBox box({}, {"v4", "v3", "any"});
  box.answer(0, {instance(1, 1, 0, {"v4"})});
  box.answer(1, {instance(21, 1, 0, {"v3"})});
  box.answer(2, {instance(1), instance(21), instance(31)});
  EXPECT_EQ(order_of(box),
            (std::vector<std::string>{"10.0.0.1:80", "10.0.0.21:80", "10.0.0.31:80"}));
  InstanceState* all[] = {&box.state(1), &box.state(21), &box.state(31)};
  EXPECT_FALSE(box.cluster.another(all));
  EXPECT_EQ(box.pick(all), &box.state(1)) << "nothing untried: the serving tier once more";
}

TEST(ClusterRetry, SkipsEjectedInstances) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2), instance(3)});
  box.fail_times(box.state(2), 5);
  InstanceState* tried[] = {&box.state(1)};
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(box.pick(tried), &box.state(3));
  }
  InstanceState* both[] = {&box.state(1), &box.state(3)};
  EXPECT_FALSE(box.cluster.another(both));
}

TEST(ClusterTiers, AnInstanceInSeveralTiersIsOneWithTheUnionOfItsTags) {
  ClusterBox box({}, {"v4", "any"});
  box.answer(1, {instance(1, 7, 1, {"blue"}), instance(2)});
  box.answer(0, {instance(1, 3, 0, {"v4"})});
  EXPECT_EQ(box.cluster.view(box.now).size(), 2U);
  auto& state = box.state(1);
  EXPECT_EQ(state.tier, 0);
  EXPECT_EQ(state.weight, 3U);
  EXPECT_THAT(state.tags, testing::ElementsAre("blue", "v4"));
  EXPECT_EQ(box.view_of(2).why, "tier 0 (v4) serves");
  box.empty(0);
  EXPECT_EQ(state.tier, 1) << "it did not depart";
  EXPECT_EQ(state.weight, 7U);
  EXPECT_THAT(state.tags, testing::ElementsAre("blue"));
  EXPECT_TRUE(box.cluster.take_events().departed.empty());
}

TEST(ClusterTiers, IgnoresAnswersOfTiersThatDoNotExist) {
  ClusterBox box({}, {"only"});
  box.answer(5, {instance(1)});
  EXPECT_EQ(box.pick(), nullptr);
}

TEST(ClusterTiers, AnUnchangedAnswerChangesNothingButItsAge) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1, 1, 0, {"a"}), instance(2)});
  std::ignore = box.cluster.take_events();
  box.pass(7s);
  box.answer(0, {instance(1, 1, 0, {"a"}), instance(2)});
  EXPECT_TRUE(box.cluster.take_events().empty());
  EXPECT_EQ(box.cluster.serving_asked(), box.now - 1ms);
}

TEST(ClusterView, ShowsDepartedInstancesWhileRequestsRunAndForAMinute) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2), instance(3)});
  auto& busy = box.state(1);
  box.cluster.started(busy, box.now);
  box.answer(0, {instance(3)});
  box.pass(30s);
  EXPECT_EQ(box.view_of(1).status, "draining");
  EXPECT_EQ(box.view_of(1).why, "left the registry's answer 30 s ago: finishes 1 request");
  EXPECT_EQ(box.view_of(2).status, "absent");
  box.pass(40s);
  EXPECT_EQ(box.view_of(2).state, nullptr);
  box.pass(20min);
  EXPECT_EQ(box.view_of(1).status, "draining");
  box.cluster.finished(busy, Outcome::kSuccess, 1s, box.now);
  EXPECT_EQ(box.view_of(1).state, nullptr);
  EXPECT_EQ(box.pick_name(), "10.0.0.3:80");
}

TEST(ClusterView, KeepsDepartedInstancesTenMinutesAndNoMoreThanItsBound) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1)});
  box.run(box.state(1), Outcome::kReset);
  const auto* first = &box.state(1);
  box.answer(0, {instance(2)});
  box.pass(9min);
  box.answer(0, {instance(1)});
  EXPECT_EQ(&box.state(1), first);
  box.answer(0, {instance(2)});
  box.pass(11min);
  box.answer(0, {instance(1)});
  EXPECT_EQ(box.state(1).failures, 0U) << "forgotten";

  // Churn: every answer is a new set of 500 instances.
  InstanceRef held;
  for (int round = 0; round < 20; ++round) {
    InstanceList list;
    for (int i = 0; i < 500; ++i) {
      list.push_back(instance(1000 + round * 500 + i));
    }
    box.answer(0, list);
    if (round == 0) {
      held = InstanceRef(&box.state(1000));
      box.cluster.started(*held, box.now);
    }
  }
  const auto departed = box.cluster.view(box.now);
  EXPECT_LE(departed.size(), 4096U + 500U);
  box.cluster.finished(*held, Outcome::kSuccess, 1ms, box.now);  // forgotten, yet safe
  EXPECT_EQ(held->in_flight, 0U);
}

/// The third instance has just come; `share` is what it gets of the picks.
template <typename Share>
void expect_a_minutes_ramp(ClusterBox& box, Share share) {
  EXPECT_NEAR(share(), 0.1 / 2.1, 0.01);
  box.pass(30s);
  EXPECT_NEAR(share(), 0.55 / 2.55, 0.02);
  box.pass(31s);
  EXPECT_NEAR(share(), 1.0 / 3, 0.02);
  EXPECT_EQ(box.cluster.next_deadline(), TimePoint::max()) << "nothing left to do";
}

TEST(ClusterSlowStart, RampsNewcomersButNotTheFirstAnswer) {
  ClusterOptions options;
  options.algorithm = Algorithm::kRandom;
  options.slow_start = 60s;
  ClusterBox box(options, {"only"});
  box.answer(0, {instance(1), instance(2)});
  EXPECT_NEAR(box.shares(4000)["10.0.0.1:80"], 2000, 150);
  box.answer(0, {instance(1), instance(2), instance(3)});
  const auto share = [&] { return box.shares(20000)["10.0.0.3:80"] / 20000.0; };
  expect_a_minutes_ramp(box, share);
}

TEST(ClusterSlowStart, GoesOnInATierThatIsOnlyChosenByRequests) {
  ClusterOptions options;
  options.algorithm = Algorithm::kRandom;
  options.slow_start = 60s;
  ClusterBox box(options, {"v4", "eu"}, {1, {}});
  box.answer(0, {instance(9)});
  box.answer(1, {instance(1), instance(2)});
  box.answer(1, {instance(1), instance(2), instance(3)});
  const auto share = [&] {
    double hits = 0;
    for (int i = 0; i < 20000; ++i) {
      PickContext context{box.now};
      context.wanted = 0b10;
      hits += box.cluster.pick(context)->endpoint == at(3) ? 1 : 0;
    }
    return hits / 20000;
  };
  expect_a_minutes_ramp(box, share);
}

TEST(ClusterSlowStart, WorksWithLargeWeightsAndUnderLeastRequest) {
  ClusterOptions options;
  options.slow_start = 10s;
  ClusterBox box(options, {"only"});
  box.answer(0, {instance(1, 65535)});
  box.answer(0, {instance(1, 65535), instance(2, 65535)});
  EXPECT_NEAR(box.shares(10000)["10.0.0.2:80"], 909, 150);
}

TEST(ClusterEvents, TellEachArrivalAndDepartureOnce) {
  ClusterBox box({}, {"a", "b"});
  box.answer(0, {instance(1)});
  box.answer(1, {instance(1), instance(2)});
  auto events = box.cluster.take_events();
  EXPECT_EQ(events.arrived.size(), 2U);
  box.answer(0, {instance(2)});
  events = box.cluster.take_events();
  EXPECT_TRUE(events.arrived.empty() && events.departed.empty());
  box.answer(1, {instance(2)});
  events = box.cluster.take_events();
  ASSERT_EQ(events.departed.size(), 1U);
  EXPECT_EQ(events.departed[0]->endpoint, at(1));
  EXPECT_TRUE(box.cluster.take_events().empty());
}

TEST(ClusterEvents, LeaveNoTraceOfOneThatWasGoneAndBackInBetween) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2)});
  std::ignore = box.cluster.take_events();
  box.empty(0);
  box.now += 1min;  // the hold ended unseen; the next answer finds that out first
  box.answer(0, {instance(1)});
  const auto events = box.cluster.take_events();
  EXPECT_TRUE(events.arrived.empty());
  ASSERT_EQ(events.departed.size(), 1U);
  EXPECT_EQ(events.departed[0]->endpoint, at(2));
  EXPECT_EQ(events.tier_changes.size(), 2U);
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
}

TEST(ClusterStats, CountRequestsFailuresAndLatency) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1)});
  auto& state = box.state(1);
  box.run(state, Outcome::kSuccess, 500ms);
  EXPECT_DOUBLE_EQ(state.latency.value(), 0.5);
  box.run(state, Outcome::kConnectFailure, 9s);
  EXPECT_DOUBLE_EQ(state.latency.value(), 0.5) << "a failure has no latency";
  box.run(state, Outcome::kTimeout, 2s);
  EXPECT_DOUBLE_EQ(state.latency.value(), 2.0) << "but a timeout has";
  EXPECT_EQ(state.requests, 3U);
  EXPECT_EQ(state.failures, 2U);
  EXPECT_EQ(state.in_flight, 0U);
}

TEST(ClusterPick, LetsTimePassByItself) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(21)});
  box.empty(0);
  box.answer(0, {instance(1)});
  box.now += 10s;  // no tick in between
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
}

TEST(ClusterPick, ChangesItsAlgorithmAtRunTime) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2), instance(3)});
  auto options = box.options;
  options.algorithm = Algorithm::kMaglev;
  box.cluster.set_options(options, box.now);
  std::set<InstanceState*> seen;
  for (int i = 0; i < 100; ++i) {
    seen.insert(box.pick({}, 42));
  }
  EXPECT_EQ(seen.size(), 1U);
}

}  // namespace
}  // namespace pilotfish::balancer
