// Large answers: the same decisions as for small ones, without linear work at the wrong moment.
#include <gmock/gmock.h>
#include <set>

#include "balancer/tier_table.hpp"
#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

constexpr Algorithm kAll[] = {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                              Algorithm::kPeakEwma,     Algorithm::kRingHash,   Algorithm::kMaglev};
constexpr int kMany = 1000;

InstanceList fleet(int count, int first = 1) {
  InstanceList out;
  for (int i = first; i < first + count; ++i) {
    out.push_back(instance(i, 1 + static_cast<std::uint32_t>(i % 3)));
  }
  return out;
}

ClusterOptions with(Algorithm algorithm) {
  ClusterOptions options;
  options.algorithm = algorithm;
  return options;
}

PreparedTierPtr prepared(const Cluster& cluster, const InstanceSet& to, std::size_t tier = 0) {
  return std::make_shared<const PreparedTier>(
      PreparedTier{to, std::make_shared<const TierTable>(to, cluster.algorithm()),
                   TierDiff(cluster.instances(tier), to)});
}

std::set<std::string> picked(ClusterBox& box, int times) {
  std::set<std::string> names;
  for (int i = 0; i < times; ++i) {
    names.insert(box.pick({}, static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15ULL)->name);
  }
  return names;
}

TEST(LargeAnswer, DiffNamesWhoCameChangedAndLeft) {
  const InstanceSet from(InstanceList{instance(1), instance(2), instance(4), instance(6)});
  const InstanceSet to(InstanceList{instance(2), instance(3), instance(4, 7), instance(5)});
  const TierDiff diff(from, to);
  EXPECT_THAT(diff.origin, testing::ElementsAre(1, TierDiff::kNew, 2, TierDiff::kNew));
  EXPECT_THAT(diff.arrived, testing::ElementsAre(1, 3));
  EXPECT_THAT(diff.changed, testing::ElementsAre(2));
  EXPECT_THAT(diff.left, testing::ElementsAre(0, 3));
}

TEST(LargeAnswer, AnEjectedInstanceGetsNothingAndComesBackByAProbe) {
  for (const auto algorithm : kAll) {
    ClusterBox box(with(algorithm), {"only"});
    box.answer(0, fleet(kMany));
    auto& bad = *box.pick({}, 1);
    box.fail_times(bad, 5);
    ASSERT_TRUE(bad.ejected);
    EXPECT_FALSE(picked(box, 20000).contains(bad.name)) << static_cast<int>(algorithm);
    EXPECT_EQ(box.cluster.tally(box.now).ejected, 1U);
    box.pass(31s);
    auto* probe = box.pick({}, 7);
    ASSERT_EQ(probe, &bad) << "its one probe";
    box.run(*probe, Outcome::kSuccess);
    EXPECT_FALSE(bad.ejected);
    box.pass(2min);  // so that nobody's latency is newer than another's
    EXPECT_TRUE(picked(box, 200000).contains(bad.name)) << static_cast<int>(algorithm);
  }
}

TEST(LargeAnswer, WhoeverIsLeftIsFoundWhereNearlyAllAreEjectedOrTried) {
  for (const auto algorithm : kAll) {
    auto options = with(algorithm);
    options.eject.max_share_percent = 100;
    options.eject.consecutive = 1;
    ClusterBox box(options, {"only"});
    box.answer(0, fleet(300));
    for (int i = 1; i <= 298; ++i) {
      box.fail_times(box.state(i), 1);
    }
    auto* first = box.pick({}, 3);
    ASSERT_NE(first, nullptr);
    EXPECT_FALSE(first->ejected) << static_cast<int>(algorithm);
    InstanceState* tried[] = {first};
    auto* second = box.pick(tried, 3);
    ASSERT_NE(second, nullptr);
    EXPECT_FALSE(second->ejected) << static_cast<int>(algorithm);
    EXPECT_NE(second, first);
    EXPECT_TRUE(box.cluster.another(tried));
    box.fail_times(box.state(299), 1);
    box.fail_times(box.state(300), 1);
    EXPECT_GT(picked(box, 3000).size(), 250U) << "panic: all are used, " << box.cluster.reason();
  }
}

TEST(LargeAnswer, LaterPrioritiesAndWeightZeroWaitForTheEndOfTheFirst) {
  auto options = with(Algorithm::kLeastRequest);
  options.eject.max_share_percent = 100;
  options.eject.consecutive = 1;
  ClusterBox box(options, {"only"});
  InstanceList list;
  for (int i = 1; i <= 600; ++i) {
    list.push_back(instance(i, i <= 598 ? 1 : 0, i <= 2 ? 1 : 2));
  }
  box.answer(0, list);
  EXPECT_THAT(picked(box, 100), testing::SizeIs(2)) << "priority 1";
  EXPECT_EQ(box.view_of(3).why, "priority 2 waits behind priority 1");
  EXPECT_EQ(box.view_of(600).why, "weight 0: used only when nothing else is left");
  box.fail_times(box.state(1), 1);
  box.fail_times(box.state(2), 1);
  EXPECT_GT(picked(box, 10000).size(), 500U);
  EXPECT_EQ(box.view_of(3).why, "");
}

TEST(LargeAnswer, SlowStartPassesANewcomerOverAsOftenAsItLacksInWeight) {
  auto options = with(Algorithm::kRandom);
  options.slow_start = 100s;
  ClusterBox box(options, {"only"});
  auto list = fleet(300, 1);
  for (auto& each : list) {
    each.weight = 1;
  }
  box.answer(0, list);
  list.push_back(instance(301));
  box.answer(0, list);
  const auto share = [&] {
    double hits = 0;
    for (int i = 0; i < 200000; ++i) {
      hits += box.pick()->endpoint == at(301) ? 1 : 0;
    }
    return hits / 200000 * 301;
  };
  EXPECT_NEAR(share(), 0.1, 0.05);
  box.pass(50s);
  EXPECT_NEAR(share(), 0.55, 0.12);
  box.pass(51s);
  EXPECT_NEAR(share(), 1, 0.16);
}

TEST(LargeAnswer, NewcomersArriveInStepsAndGetTrafficAllAtOnce) {
  ClusterBox box(with(Algorithm::kRandom), {"only"});
  box.answer(0, fleet(kMany));
  const auto more = ok(fleet(2 * kMany));
  ASSERT_TRUE(box.cluster.wants_preparing(0, more.instances));
  const auto ready = prepared(box.cluster, more.instances);
  std::ignore = box.cluster.take_events();
  int steps = 1;
  while (!box.cluster.arrive(0, ready, box.now, 64)) {
    ++steps;
    EXPECT_LE(box.cluster.take_events().arrived.size(), 64U) << "no step does more than it may";
    for (const auto& name : picked(box, 300)) {
      EXPECT_LE(*Endpoint::parse(name), at(kMany)) << "a newcomer ahead of its answer";
    }
  }
  EXPECT_EQ(steps, (kMany + 63) / 64);
  box.cluster.on_answer(0, more, box.now, ready);
  EXPECT_FALSE(box.cluster.wants_preparing(0, more.instances));
  EXPECT_GT(picked(box, 40000).size(), 1900U);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, 2U * kMany);
}

TEST(LargeAnswer, WhoeverArrivedForAnAnswerThatNeverCameLeavesAgain) {
  ClusterBox box(with(Algorithm::kRoundRobin), {"a", "b"});
  box.answer(0, fleet(kMany));
  box.answer(1, {instance(5000)});
  const auto ready = prepared(box.cluster, ok(fleet(2 * kMany)).instances);
  EXPECT_FALSE(box.cluster.arrive(0, ready, box.now, 100));
  EXPECT_EQ(box.cluster.tally(box.now).healthy, kMany + 101U);
  box.answer(0, fleet(kMany + 10));  // another one comes instead
  EXPECT_EQ(box.cluster.tally(box.now).healthy, kMany + 11U);
  EXPECT_EQ(box.cluster.tally(box.now).absent, 90U);
  EXPECT_FALSE(
      box.cluster.arrive(0, prepared(box.cluster, ok(fleet(3 * kMany)).instances), box.now, 100));
  box.empty(0);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, 1U);
}

TEST(LargeAnswer, AnotherTiersAnswerDoesNotTakeAwayWhoArrivedAhead) {
  ClusterBox box(with(Algorithm::kRandom), {"a", "b"});
  box.answer(0, fleet(kMany));
  box.answer(1, {instance(1500), instance(5000)});
  const auto more = ok(fleet(2 * kMany));
  const auto ready = prepared(box.cluster, more.instances);
  while (!box.cluster.arrive(0, ready, box.now, 300)) {
  }
  EXPECT_EQ(box.state(1500).tier, 0);
  box.answer(1, {instance(5000)});
  box.cluster.on_answer(0, more, box.now, ready);
  EXPECT_EQ(box.state(1500).tier, 0);
  EXPECT_EQ(box.state(1500).weight, 1U);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, 2U * kMany + 1);
}

TEST(LargeAnswer, WhoArrivedAheadAndLeftElsewhereMeanwhileStays) {
  ClusterBox box(with(Algorithm::kRandom), {"a", "b"});
  constexpr int kFleet = 5100;  // of 4096 that are remembered
  const auto moved = ok(fleet(kFleet));
  box.answer(0, fleet(kFleet));
  box.answer(1, {instance(20000)});
  const auto ready = prepared(box.cluster, moved.instances, 1);
  while (!box.cluster.arrive(1, ready, box.now, 300)) {
  }
  box.answer(0, {instance(20001)});  // more would leave than are remembered
  EXPECT_TRUE(box.cluster.take_events().departed.empty());
  box.cluster.on_answer(1, moved, box.now, ready);
  EXPECT_EQ(box.state(1).tier, 1);
  EXPECT_EQ(box.state(kFleet).tier, 1);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, kFleet + 1);
}

TEST(LargeAnswer, WhatArrivedForALookupThatThenFailedLeavesAgain) {
  ClusterBox box(with(Algorithm::kRandom), {"only"});
  box.answer(0, fleet(kMany));
  const auto more = ok(fleet(2 * kMany));
  const auto ready = prepared(box.cluster, more.instances);
  while (!box.cluster.arrive(0, ready, box.now, 300)) {
  }
  box.cluster.on_answer(0, {LookupResult::kTimeout, {}, {}, {}}, box.now);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, kMany);
}

TEST(LargeAnswer, WhatArrivedForATierThatIsEmptyAfterAllLeavesAgain) {
  ClusterBox box(with(Algorithm::kRandom), {"a", "b"});
  box.answer(0, fleet(kMany));
  const auto ready = prepared(box.cluster, ok(fleet(2 * kMany)).instances, 1);
  EXPECT_FALSE(box.cluster.arrive(1, ready, box.now, 1500));
  box.empty(1);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, kMany);
}

TEST(LargeAnswer, WhatWasPreparedForSomethingElseIsNotUsed) {
  ClusterBox box(with(Algorithm::kRandom), {"only"});
  box.answer(0, fleet(kMany));
  const auto stale = prepared(box.cluster, ok(fleet(2 * kMany)).instances);
  box.answer(0, fleet(kMany + 50));  // the tier moved on
  const auto more = ok(fleet(3 * kMany));
  EXPECT_TRUE(box.cluster.arrive(0, stale, box.now, 10)) << "nothing to do for it";
  box.cluster.on_answer(0, more, box.now, stale);
  EXPECT_EQ(box.cluster.tally(box.now).healthy, 3U * kMany);
  EXPECT_GT(picked(box, 60000).size(), 2800U);
}

TEST(LargeAnswer, ManyDeparturesEndInStepsButGetNoTrafficFromTheFirst) {
  ClusterBox box(with(Algorithm::kLeastRequest), {"only"});
  box.cluster.defer_work();
  box.answer(0, fleet(2 * kMany));
  auto& running = box.state(1900);
  box.cluster.started(running, box.now);
  std::ignore = box.cluster.take_events();
  box.answer(0, fleet(kMany));
  for (const auto& name : picked(box, 5000)) {
    EXPECT_LE(*Endpoint::parse(name), at(kMany));
  }
  EXPECT_EQ(running.tier, -1);
  EXPECT_TRUE(box.cluster.take_events().departed.empty());
  int steps = 0;
  std::size_t departed = 0;
  for (; box.cluster.has_work(); ++steps) {
    box.cluster.work(64);
    const auto some = box.cluster.take_events().departed.size();
    EXPECT_LE(some, 64U);
    departed += some;
  }
  EXPECT_EQ(departed, static_cast<std::size_t>(kMany));
  EXPECT_EQ(steps, (kMany + 63) / 64);
  const auto tally = box.cluster.tally(box.now);
  EXPECT_EQ(tally.draining, 1U);
  EXPECT_EQ(tally.absent, kMany - 1U);
}

TEST(LargeAnswer, WhoeverComesBackBeforeItsDepartureEndedNeverLeft) {
  ClusterBox box(with(Algorithm::kRoundRobin), {"only"});
  box.cluster.defer_work();
  box.answer(0, fleet(2 * kMany));
  auto& bad = box.state(1500);
  box.fail_times(bad, 5);
  ASSERT_TRUE(bad.ejected);
  box.answer(0, fleet(kMany));
  box.answer(0, fleet(2 * kMany));
  EXPECT_FALSE(bad.ejected) << "left and came back: un-ejected, its count kept";
  EXPECT_EQ(bad.ejections, 1U);
  while (box.cluster.has_work()) {
    box.cluster.work(64);
  }
  EXPECT_TRUE(box.cluster.take_events().departed.empty());
  EXPECT_EQ(box.cluster.tally(box.now).healthy, 2U * kMany);
  EXPECT_EQ(box.cluster.tally(box.now).absent, 0U);
}

}  // namespace
}  // namespace pilotfish::balancer
