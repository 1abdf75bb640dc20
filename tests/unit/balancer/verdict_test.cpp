// Active checks: instances that a check found unhealthy.
#include <gmock/gmock.h>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

CheckVerdict bad(int number, std::string why = "GET /health: 503") {
  return {at(number), false, std::move(why)};
}
CheckVerdict fine(int number) {
  return {at(number), true, ""};
}
void say(ClusterBox& box, const std::vector<CheckVerdict>& verdicts) {
  box.cluster.set_verdicts(verdicts, box.now);
}
InstanceList many(int count) {
  InstanceList list;
  for (int i = 0; i < count; ++i) {
    list.push_back(instance(i));
  }
  return list;
}

TEST(Verdicts, AnUnhealthyInstanceGetsNothingUntilItIsHealthy) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  say(box, {bad(1)});
  EXPECT_EQ(box.shares(100)["10.0.0.1:80"], 0);
  EXPECT_EQ(box.view_of(1).status, "unhealthy");
  EXPECT_EQ(box.view_of(1).why, "GET /health: 503");
  EXPECT_THAT(box.cluster.reason(), HasSubstr("1 of 2 instances (1 unhealthy)"));
  const auto tally = box.cluster.tally(box.now);
  EXPECT_EQ(tally.unhealthy, 1U);
  EXPECT_EQ(tally.healthy, 1U);
  say(box, {fine(1)});
  EXPECT_GT(box.shares(100)["10.0.0.1:80"], 0);
  EXPECT_EQ(box.view_of(1).status, "healthy");
  EXPECT_EQ(box.view_of(1).why, "");
}

TEST(Verdicts, TheNewestCauseIsShown) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  say(box, {bad(1)});
  say(box, {bad(1, "connection refused")});
  EXPECT_EQ(box.view_of(1).why, "connection refused");
  EXPECT_EQ(box.cluster.take_events().unhealthy.size(), 1U) << "it was out before";
}

TEST(Verdicts, AnInstanceThatComesAfterItsVerdictIsOutFromTheFirstMoment) {
  ClusterBox box;
  say(box, {bad(2)});
  box.answer(0, {instance(1), instance(2)});
  EXPECT_EQ(box.shares(100)["10.0.0.2:80"], 0);
}

TEST(Verdicts, WhereEveryInstanceIsUnhealthyTheCheckIsIgnored) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  say(box, {bad(1), bad(2)});
  auto shares = box.shares(100);
  EXPECT_GT(shares["10.0.0.1:80"], 0);
  EXPECT_GT(shares["10.0.0.2:80"], 0);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("although all are unhealthy"));
  EXPECT_EQ(box.view_of(1).why, "GET /health: 503; used all the same, for want of others");
  say(box, {fine(2)});
  EXPECT_EQ(box.shares(100)["10.0.0.1:80"], 0);
}

TEST(Verdicts, UnhealthyAndEjectedTogetherArePanicToo) {
  ClusterOptions options;
  options.eject.consecutive = 1;
  ClusterBox box(options);
  box.answer(0, {instance(1), instance(2)});
  box.fail_times(box.state(1), 1);
  ASSERT_TRUE(box.state(1).ejected);
  say(box, {bad(2)});
  EXPECT_THAT(box.cluster.reason(), HasSubstr("although all are ejected or unhealthy"));
  EXPECT_NE(box.pick(), nullptr);
}

TEST(Verdicts, UnhealthyInstancesDoNotCountForMinHealthy) {
  ClusterOptions options;
  options.fallback.min_healthy = {2, false};
  ClusterBox box(options);
  box.answer(0, {instance(1), instance(2)});
  box.answer(1, {instance(3), instance(4)});
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  say(box, {bad(1)});
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_THAT(box.cluster.reason(),
              HasSubstr("tier 0 (v4) has 1 of 2 needed instances (1 unhealthy)"));
  say(box, {fine(1)});
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  box.pass(10s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(Verdicts, ATierWhoseInstancesAreAllUnhealthyGivesWayToTheNext) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(2)});
  say(box, {bad(1)});
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.pick_name(), "10.0.0.2:80");
}

TEST(Verdicts, ARetryGoesToNoUnhealthyInstanceWhileThereIsAnother) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2), instance(3)});
  say(box, {bad(1)});
  InstanceState* const tried[] = {&box.state(2)};
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(box.pick_name(tried), "10.0.0.3:80");
  }
  InstanceState* const both[] = {&box.state(2), &box.state(3)};
  EXPECT_FALSE(box.cluster.another(both));
  EXPECT_NE(box.pick_name(both), "10.0.0.1:80");
}

TEST(Verdicts, AnEjectedInstanceThatIsUnhealthyIsNotProbedByARequest) {
  ClusterOptions options;
  options.eject.consecutive = 1;
  options.eject.base = 1s;
  ClusterBox box(options);
  box.answer(0, {instance(1), instance(2)});
  box.fail_times(box.state(1), 1);
  say(box, {bad(1)});
  EXPECT_EQ(box.cluster.tally(box.now).ejected, 0U) << "it is counted once";
  box.pass(2s);
  EXPECT_EQ(box.shares(20)["10.0.0.1:80"], 0);
  say(box, {fine(1)});
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80") << "now its probe is due";
}

TEST(Verdicts, AnInstanceThatLeftIsNoLongerCounted) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  say(box, {bad(1)});
  box.answer(0, {instance(2)});
  const auto tally = box.cluster.tally(box.now);
  EXPECT_EQ(tally.unhealthy, 0U);
  EXPECT_EQ(tally.healthy, 1U);
  EXPECT_EQ(tally.absent, 1U);
  EXPECT_EQ(box.view_of(1).status, "absent");
  say(box, {fine(1)});  // whoever checks has let go of it
  box.answer(0, {instance(1), instance(2)});
  EXPECT_EQ(box.view_of(1).status, "healthy");
}

TEST(Verdicts, WithoutACheckNobodyIsUnhealthy) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  say(box, {bad(1), bad(3)});
  box.cluster.forget_verdicts(box.now);
  EXPECT_EQ(box.view_of(1).status, "healthy");
  box.answer(0, {instance(1), instance(2), instance(3)});
  EXPECT_EQ(box.view_of(3).status, "healthy");
}

TEST(Verdicts, AReloadOfTheTiersKeepsThem) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  say(box, {bad(1)});
  const std::vector<Cluster::NewTier> tiers{{"other", -1, ok({instance(1), instance(2)})}};
  box.cluster.set_tiers(tiers, box.now);
  EXPECT_EQ(box.view_of(1).status, "unhealthy");
  EXPECT_EQ(box.shares(50)["10.0.0.1:80"], 0);
}

class VerdictsOfEachAlgorithm : public ::testing::TestWithParam<Algorithm> {};

TEST_P(VerdictsOfEachAlgorithm, HoldForLargeAnswersToo) {
  ClusterOptions options;
  options.algorithm = GetParam();
  ClusterBox box(options, {"any"});
  box.answer(0, many(static_cast<int>(kLargeAnswer) + 44));
  std::vector<CheckVerdict> verdicts;
  for (int i = 0; i < 150; ++i) {
    verdicts.push_back(bad(i));
  }
  say(box, verdicts);
  EXPECT_EQ(box.cluster.tally(box.now).unhealthy, 150U);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("150 of 300 instances (150 unhealthy)"));
  for (std::uint64_t i = 0; i < 3000; ++i) {
    auto* const picked = box.pick({}, i * 0x9e3779b97f4a7c15ULL);
    ASSERT_NE(picked, nullptr);
    ASSERT_FALSE(picked->unhealthy);
  }
  for (auto& verdict : verdicts) {
    verdict.healthy = true;
  }
  say(box, verdicts);
  EXPECT_EQ(box.cluster.tally(box.now).unhealthy, 0U);
  EXPECT_THAT(box.cluster.reason(), Not(HasSubstr("unhealthy")));
}

INSTANTIATE_TEST_SUITE_P(All, VerdictsOfEachAlgorithm,
                         ::testing::Values(Algorithm::kLeastRequest, Algorithm::kRoundRobin,
                                           Algorithm::kRandom, Algorithm::kPeakEwma,
                                           Algorithm::kRingHash, Algorithm::kMaglev));

TEST(Verdicts, APreparedLargeAnswerBringsItsNewcomersWithTheirVerdicts) {
  ClusterBox box({}, {"any"});
  box.answer(0, many(300));
  say(box, {bad(300), bad(5)});
  box.answer(0, many(301));
  EXPECT_EQ(box.view_of(300).status, "unhealthy");
  EXPECT_EQ(box.view_of(5).status, "unhealthy");
  box.answer(0, many(4));  // small again
  EXPECT_EQ(box.cluster.tally(box.now).unhealthy, 0U);
}

}  // namespace
}  // namespace pilotfish::balancer
