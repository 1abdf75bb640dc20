#include <gmock/gmock.h>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using ::testing::HasSubstr;

constexpr Algorithm kAll[] = {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                              Algorithm::kPeakEwma,     Algorithm::kRingHash,   Algorithm::kMaglev};

InstanceList numbered(int from, int to) {
  InstanceList out;
  for (int i = from; i <= to; ++i) {
    out.push_back(instance(i));
  }
  return out;
}

DrainList list(std::initializer_list<int> numbers) {
  DrainList out;
  for (const int number : numbers) {
    out.entries.push_back({at(number), at(number).to_string()});
  }
  return out;
}

TEST(Drain, SendsNothingNewWhateverTheAlgorithmAndTheSize) {
  for (const auto algorithm : kAll) {
    for (const int size : {3, 300}) {
      ClusterOptions options;
      options.algorithm = algorithm;
      ClusterBox box(options, {"only"});
      box.answer(0, numbered(1, size));
      box.cluster.set_drain(list({2}), box.now);
      for (std::uint64_t i = 0; i < 3000; ++i) {
        auto* picked = box.pick({}, i * 0x9e3779b97f4a7c15ULL);
        ASSERT_NE(picked, nullptr);
        ASSERT_NE(picked->endpoint, at(2)) << static_cast<int>(algorithm) << " of " << size;
      }
      InstanceState* tried[] = {&box.state(1)};
      ASSERT_NE(box.pick(tried)->endpoint, at(2));
    }
  }
}

TEST(Drain, ListMayBeInAnyOrderAndTheFirstNameOfAnInstanceCounts) {
  ClusterBox box({}, {"only"});
  box.answer(0, numbered(1, 9));
  DrainList mixed = list({9, 3, 7});
  mixed.entries.push_back({at(3), "node:web-3"});
  mixed.entries.push_back({at(1), "node:web-1"});
  box.cluster.set_drain(mixed, box.now);
  EXPECT_EQ(box.cluster.tally(box.now).draining, 4U);
  EXPECT_THAT(box.view_of(3).why, HasSubstr("drain: 10.0.0.3:80"));
  EXPECT_THAT(box.view_of(1).why, HasSubstr("drain: node:web-1"));
  box.answer(0, numbered(1, 3));
  box.answer(0, numbered(1, 9));
  EXPECT_EQ(box.view_of(7).status, "draining") << "it came back";
}

TEST(Drain, LeavesTheMaxShareOfEjectionToThoseInUse) {
  for (const int size : {4, 400}) {
    ClusterOptions options;
    options.eject.max_share_percent = 50;
    ClusterBox box(options, {"only"});
    box.answer(0, numbered(1, size));
    DrainList half;
    for (int i = size / 2 + 1; i <= size; ++i) {
      half.entries.push_back({at(i), "node:old"});
    }
    box.cluster.set_drain(half, box.now);
    int out = 0;
    for (int i = 1; i <= size / 2; ++i) {
      box.fail_times(box.state(i), 5);
      out += box.state(i).ejected ? 1 : 0;
    }
    EXPECT_EQ(out, size / 4) << "half of those that are in use";
    EXPECT_THAT(box.cluster.ejection_text(box.state(1)),
                HasSubstr(std::to_string(size / 4) + " of " + std::to_string(size / 2) +
                          " instances of tier 0 (only) now out"));
  }
}

TEST(Drain, IsSeenAndEndsWithoutATrace) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2)});
  box.cluster.started(box.state(2), box.now);
  (void)box.cluster.take_events();
  box.cluster.set_drain(list({2}), box.now);
  EXPECT_EQ(box.view_of(2).status, "draining");
  EXPECT_EQ(box.view_of(2).why,
            "drained by configuration (drain: 10.0.0.2:80): finishes 1 request");
  EXPECT_THAT(box.cluster.reason(), HasSubstr("serves with 1 of 2 instances (1 drained)"));
  const auto tally = box.cluster.tally(box.now);
  EXPECT_EQ(tally.healthy, 1U);
  EXPECT_EQ(tally.draining, 1U);
  const auto events = box.cluster.take_events();
  ASSERT_EQ(events.drained.size(), 1U);
  EXPECT_TRUE(events.departed.empty());
  box.cluster.finished(box.state(2), Outcome::kSuccess, 1ms, box.now);
  box.cluster.set_drain({}, box.now);
  EXPECT_EQ(box.view_of(2).status, "healthy");
  EXPECT_EQ(box.view_of(2).why, "");
  EXPECT_EQ(box.shares(1000).size(), 2U);
}

TEST(Drain, SaysWhatNamedIt) {
  ClusterBox box({}, {"only"});
  box.cluster.set_drain({{{at(2), "node:web-3"}}}, box.now);
  box.answer(0, {instance(1), instance(2)});
  EXPECT_EQ(box.view_of(2).status, "draining") << "who comes later too";
  EXPECT_THAT(box.view_of(2).why, HasSubstr("drain: node:web-3"));
}

TEST(Drain, OfAWholeTierLetsTheNextServeThenNone) {
  for (const int size : {2, 300}) {
    ClusterBox box;
    box.answer(0, numbered(1, size));
    box.answer(1, numbered(1001, 1000 + size));
    DrainList drain;
    for (const auto& one : numbered(1, size)) {
      drain.entries.push_back({one.endpoint, one.endpoint.to_string()});
    }
    box.cluster.set_drain(drain, box.now);
    EXPECT_EQ(box.cluster.serving_tier(), 1) << size;
    EXPECT_GE(box.pick()->endpoint, at(1001));
    for (const auto& one : numbered(1001, 1000 + size)) {
      drain.entries.push_back({one.endpoint, one.endpoint.to_string()});
    }
    box.cluster.set_drain(drain, box.now);
    EXPECT_EQ(box.cluster.serving_tier(), -1) << "at once: hold_empty is for the registry's doubts";
    EXPECT_EQ(box.pick_name(), "none");
    EXPECT_THAT(box.cluster.reason(), HasSubstr("is drained by configuration: none serves"));
    box.cluster.set_drain({}, box.now);
    EXPECT_EQ(box.cluster.serving_tier(), 0) << size;
  }
}

TEST(Drain, HoldsWhereTheInstancesLeftAllTheSame) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  box.cluster.set_drain(list({2}), box.now);
  box.empty(0);
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80") << "the registry says empty: held, as ever";
}

TEST(Drain, IsNotUndoneWhereAllOthersAreEjected) {
  ClusterOptions options;
  options.eject.max_share_percent = 100;
  ClusterBox box(options, {"only"});
  box.answer(0, {instance(1), instance(2), instance(3)});
  box.cluster.set_drain(list({3}), box.now);
  box.fail_times(box.state(1), 5);
  box.fail_times(box.state(2), 5);
  for (int i = 0; i < 100; ++i) {
    ASSERT_NE(box.pick()->endpoint, at(3));
  }
  EXPECT_THAT(box.cluster.reason(), HasSubstr("2 instances although all are ejected"));
  InstanceState* tried[] = {&box.state(1), &box.state(2)};
  EXPECT_NE(box.pick(tried)->endpoint, at(3));
  EXPECT_TRUE(box.cluster.another({}));
  EXPECT_FALSE(box.cluster.another(tried));
}

TEST(Drain, OfAnEjectedInstanceGivesItNoProbe) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2), instance(3)});
  box.fail_times(box.state(2), 5);
  ASSERT_TRUE(box.state(2).ejected);
  box.cluster.set_drain(list({2}), box.now);
  box.pass(40s);
  EXPECT_EQ(box.shares(1000).count("10.0.0.2:80"), 0U);
  box.cluster.set_drain({}, box.now);
  EXPECT_EQ(box.shares(1000).count("10.0.0.2:80"), 1U);
}

TEST(Drain, CountsForMinHealthy) {
  ClusterOptions options;
  options.fallback.min_healthy = {2, false};
  ClusterBox box(options);
  box.answer(0, {instance(1), instance(2)});
  box.answer(1, {instance(3), instance(4)});
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  box.cluster.set_drain(list({1}), box.now);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
}

TEST(Drain, SurvivesOtherTiersAndAnAbsence) {
  ClusterBox box({}, {"only"});
  box.answer(0, {instance(1), instance(2)});
  box.cluster.set_drain(list({2}), box.now);
  box.answer(0, {instance(1)});
  EXPECT_EQ(box.cluster.tally(box.now).draining, 0U);
  box.answer(0, {instance(1), instance(2)});
  EXPECT_EQ(box.view_of(2).status, "draining");
  const std::vector<Cluster::NewTier> tiers{{"new", -1, ok({instance(2), instance(3)})}};
  box.cluster.set_tiers(tiers, box.now);
  EXPECT_EQ(box.view_of(2).status, "draining");
  EXPECT_EQ(box.pick_name(), "10.0.0.3:80");
}

}  // namespace
}  // namespace pilotfish::balancer
