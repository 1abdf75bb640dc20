#include "balancer/ejection.hpp"

#include <gmock/gmock.h>
#include <tuple>

#include "tests/unit/balancer/cluster_fixture.hpp"

namespace pilotfish::balancer {
namespace {

using testing::HasSubstr;

InstanceList four() {
  return {instance(1), instance(2), instance(3), instance(4)};
}

/// Whether any of many requests reaches the instance.
bool is_used(ClusterBox& box, int number) {
  for (int i = 0; i < 200; ++i) {
    if (box.pick()->endpoint == at(number)) {
      return true;
    }
  }
  return false;
}

TEST(Ejection, TakesOutAfterFailuresInARowAndSaysWhy) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 4);
  EXPECT_FALSE(box.state(1).ejected);
  box.fail_times(box.state(1), 1);
  EXPECT_TRUE(box.state(1).ejected);
  EXPECT_FALSE(is_used(box, 1));
  box.pass(2s);
  const auto view = box.view_of(1);
  EXPECT_EQ(view.status, "ejected");
  EXPECT_EQ(view.why,
            "ejected for another 28 s after 5 failures in a row, the last: no connection");
  EXPECT_EQ(box.cluster.take_events().ejected.size(), 1U);
  EXPECT_THAT(box.cluster.reason(), HasSubstr("3 of 4 instances (1 ejected)"));
}

TEST(Ejection, ASuccessEndsTheRowAndANeutralEndDoesNothing) {
  ClusterBox box;
  box.answer(0, four());
  auto& state = box.state(1);
  box.fail_times(state, 4);
  box.run(state, Outcome::kNeutral);
  EXPECT_EQ(state.consecutive_failures, 4U);
  box.run(state, Outcome::kSuccess);
  box.fail_times(state, 4);
  EXPECT_FALSE(state.ejected);
  EXPECT_EQ(state.failures, 8U);
}

TEST(Ejection, EveryKindOfFailureCounts) {
  for (const auto outcome :
       {Outcome::kConnectFailure, Outcome::kReset, Outcome::kGatewayError, Outcome::kTimeout}) {
    ClusterBox box;
    box.answer(0, four());
    for (int i = 0; i < 5; ++i) {
      box.run(box.state(2), outcome);
    }
    EXPECT_TRUE(box.state(2).ejected);
  }
}

TEST(Ejection, LetsOneProbeThroughAndReturnsOnSuccess) {
  ClusterBox box;
  box.answer(0, four());
  auto& state = box.state(1);
  box.fail_times(state, 5);
  box.pass(30s);
  EXPECT_EQ(box.view_of(1).why, "ejection over: the next request probes it");
  auto* probe = box.pick();
  ASSERT_EQ(probe, &state);
  box.cluster.started(*probe, box.now);
  EXPECT_FALSE(is_used(box, 1)) << "one probe at a time";
  box.cluster.finished(*probe, Outcome::kSuccess, 1ms, box.now);
  EXPECT_FALSE(state.ejected);
  EXPECT_TRUE(is_used(box, 1));
  EXPECT_EQ(box.cluster.take_events().returned.size(), 1U);
  EXPECT_EQ(box.view_of(1).status, "healthy");
}

TEST(Ejection, AFailedProbeEjectsForLongerUpToTheMaximum) {
  ClusterBox box;
  box.answer(0, four());
  auto& state = box.state(1);
  box.fail_times(state, 5);
  for (int count = 1; count <= 14; ++count) {
    const Duration expected = std::min<Duration>(30s * count, 5min);
    EXPECT_EQ(state.ejected_until - box.now, expected) << count;
    EXPECT_EQ(state.ejections, static_cast<unsigned>(count));
    box.pass(expected - 1ms);
    EXPECT_FALSE(is_used(box, 1));
    box.pass(1ms);
    ASSERT_EQ(box.request(Outcome::kReset), &state);
  }
}

TEST(Ejection, ANeutralProbeAllowsAnother) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 5);
  box.pass(30s);
  ASSERT_EQ(box.request(Outcome::kNeutral), &box.state(1));
  EXPECT_TRUE(box.state(1).ejected);
  ASSERT_EQ(box.request(Outcome::kSuccess), &box.state(1));
  EXPECT_FALSE(box.state(1).ejected);
}

TEST(Ejection, AProbeWithoutAnEndAllowsAnotherAfterTheBaseTime) {
  ClusterBox box;
  box.answer(0, four());
  auto& state = box.state(1);
  box.fail_times(state, 5);
  box.pass(30s);
  box.cluster.started(*box.pick(), box.now);
  box.pass(30s - 1ms);
  EXPECT_FALSE(is_used(box, 1));
  box.pass(1ms);
  EXPECT_EQ(box.pick(), &state);
}

TEST(Ejection, AnEstablishedTcpConnectionEndsAProbeWell) {
  ClusterBox box;
  box.answer(0, four());
  auto& state = box.state(1);
  box.fail_times(state, 5);
  box.pass(30s);
  box.cluster.started(*box.pick(), box.now);
  box.cluster.reached(state, box.now);
  EXPECT_FALSE(state.ejected);
  EXPECT_EQ(state.in_flight, 1U);
}

TEST(Ejection, RetriesAreNoProbes) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 5);
  box.pass(30s);
  InstanceState* tried[] = {&box.state(2)};
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(box.pick(tried), &box.state(1));
  }
}

TEST(Ejection, ARetryWithNobodyElseLeftAsksAnEjectedOneBeforeItRepeatsTheDeadOne) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2), instance(3)});
  box.fail_times(box.state(1), 5);
  auto& dead = box.state(2);
  auto& slow = box.state(3);
  InstanceState* one[] = {&dead};
  EXPECT_EQ(box.pick(one), &slow) << "an eligible one comes first";
  InstanceState* both[] = {&dead, &slow};
  EXPECT_EQ(box.pick(both), &box.state(1));
  EXPECT_EQ(box.state(1).ejections, 1U);
  box.run(box.state(1), Outcome::kSuccess);
  EXPECT_TRUE(box.state(1).ejected) << "it comes back by its probe, not by a retry";
  InstanceState* all[] = {&dead, &slow, &box.state(1)};
  EXPECT_NE(box.pick(all), nullptr) << "tried ones again, rather than an error";
}

TEST(Ejection, ARetryAvoidsWhatFailedLastTimeWhereSomethingElseIsLeft) {
  for (const auto algorithm : {Algorithm::kLeastRequest, Algorithm::kRoundRobin, Algorithm::kRandom,
                               Algorithm::kPeakEwma, Algorithm::kRingHash, Algorithm::kMaglev}) {
    ClusterOptions options;
    options.algorithm = algorithm;
    ClusterBox box(options);
    box.answer(0, {instance(1), instance(2), instance(3), instance(4)});
    box.answer(1, {instance(5)});
    for (const int dead : {1, 2}) {
      box.fail_times(box.state(dead), 1);
    }
    InstanceState* tried[] = {&box.state(3)};
    for (int i = 0; i < 20; ++i) {
      EXPECT_EQ(box.pick(tried), &box.state(4));
    }
    box.fail_times(box.state(4), 1);
    EXPECT_EQ(box.pick(tried), &box.state(5)) << "an older version before a suspect";
    box.fail_times(box.state(5), 1);
    EXPECT_NE(box.pick(tried), &box.state(3)) << "a suspect before what was tried";
    EXPECT_NE(box.pick(tried), nullptr);
    box.pass(11s);
    for (int i = 0; i < 20; ++i) {
      EXPECT_NE(box.pick(tried), &box.state(5)) << "a failure of long ago is no reason to go";
    }
  }
}

TEST(Ejection, ARetryLeavesItsVersionAndPriorityOnlyWhereEveryoneInItSeemsDead) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2), instance(3, 1, 10), instance(4, 0)});
  box.answer(1, {instance(5)});
  box.run(box.state(2), Outcome::kGatewayError);
  InstanceState* tried[] = {&box.state(1)};
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(box.pick(tried), &box.state(2)) << "it answered, if only with an error";
  }
  box.fail_times(box.state(2), 1);
  EXPECT_EQ(box.pick(tried), &box.state(3)) << "the next priority";
  box.fail_times(box.state(3), 1);
  EXPECT_EQ(box.pick(tried), &box.state(2)) << "not the one of weight 0";
}

TEST(Ejection, ARetryAsksTheOneThatAnsweredWithAnErrorBeforeAnEjectedOne) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  box.fail_times(box.state(1), 5);
  box.run(box.state(2), Outcome::kGatewayError);
  InstanceState* tried[] = {&box.state(2)};
  EXPECT_EQ(box.pick(tried), &box.state(2));
  box.fail_times(box.state(2), 1);
  EXPECT_EQ(box.pick(tried), &box.state(1));
}

TEST(Ejection, OldRequestsOnAnEjectedInstanceNeitherReturnNorProlong) {
  ClusterBox box;
  box.answer(0, four());
  auto& state = box.state(1);
  box.cluster.started(state, box.now);
  box.cluster.started(state, box.now);
  box.fail_times(state, 5);
  const auto until = state.ejected_until;
  box.pass(1s);
  box.cluster.finished(state, Outcome::kSuccess, 1s, box.now);
  box.cluster.finished(state, Outcome::kReset, 1s, box.now);
  EXPECT_TRUE(state.ejected);
  EXPECT_EQ(state.ejected_until, until);
  EXPECT_EQ(state.ejections, 1U);
}

TEST(Ejection, NeverMoreThanTheShareOfATierButAtLeastOne) {
  struct Case {
    int size;
    std::uint32_t percent;
    int may_go;
  };
  for (const auto& [size, percent, may_go] :
       {Case{1, 50, 1}, Case{2, 50, 1}, Case{3, 50, 1}, Case{4, 50, 2}, Case{10, 10, 1},
        Case{10, 0, 1}, Case{10, 39, 3}, Case{4, 100, 4}}) {
    ClusterOptions options;
    options.eject.max_share_percent = percent;
    ClusterBox box(options, {"only"});
    InstanceList list;
    for (int i = 1; i <= size; ++i) {
      list.push_back(instance(i));
    }
    box.answer(0, list);
    int gone = 0;
    for (int i = 1; i <= size; ++i) {
      box.fail_times(box.state(i), 7);
      gone += box.state(i).ejected ? 1 : 0;
    }
    EXPECT_EQ(gone, may_go) << size << " at " << percent << " %";
  }
}

TEST(Ejection, SaysOnceWhenTheShareIsSpent) {
  ClusterBox box;
  box.answer(0, {instance(1), instance(2)});
  box.fail_times(box.state(1), 5);
  std::ignore = box.cluster.take_events();
  box.fail_times(box.state(2), 9);
  EXPECT_EQ(box.cluster.take_events().notes.size(), 1U);
  EXPECT_FALSE(box.state(2).ejected);
}

TEST(Ejection, MovesTrafficToTheNextTierAndTheProbeBringsItBack) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(21)});
  box.fail_times(box.state(1), 5);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.cluster.reason(),
            "tier 0 (v4) has 0 of 1 needed instances (1 ejected); tier 1 (v3) serves with 1 "
            "instance");
  box.pass(30s);
  EXPECT_EQ(box.cluster.serving_tier(), 1);
  EXPECT_EQ(box.request(Outcome::kSuccess), &box.state(1)) << "the probe of the better tier";
  EXPECT_EQ(box.cluster.serving_tier(), 1) << "health must last";
  box.pass(10s);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
}

TEST(Ejection, AWorseTierIsReturnedOnTrustAndOneFailureEjectsAgain) {
  ClusterBox box;
  box.answer(1, {instance(21), instance(22)});
  box.fail_times(box.state(21), 5);
  box.answer(0, {instance(1)});
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  box.pass(30s);
  EXPECT_FALSE(box.state(21).ejected) << "no request of v4 is spent on probing v3";
  for (int i = 0; i < 50; ++i) {
    ASSERT_EQ(box.request(Outcome::kSuccess), &box.state(1));
  }
  box.empty(0);
  box.fail_times(box.state(21), 1);
  EXPECT_TRUE(box.state(21).ejected);
  EXPECT_EQ(box.state(21).ejections, 2U);
}

TEST(Ejection, IsIgnoredInTheBestTierThatHasAnyWhenNobodyElseIsLeft) {
  ClusterBox box;
  box.answer(0, {instance(1)});
  box.answer(1, {instance(21)});
  box.fail_times(box.state(1), 5);
  box.fail_times(box.state(21), 5);
  EXPECT_EQ(box.cluster.serving_tier(), 0);
  EXPECT_EQ(box.pick_name(), "10.0.0.1:80");
  EXPECT_THAT(box.cluster.reason(), HasSubstr("although all are ejected"));
  EXPECT_THAT(box.view_of(1).why, HasSubstr("used all the same"));
  box.run(box.state(1), Outcome::kSuccess);
  EXPECT_FALSE(box.state(1).ejected) << "it works, so it is back";
  EXPECT_THAT(box.cluster.take_events().notes.back(), HasSubstr("ejection counts again"));
}

TEST(Ejection, SurvivesAnswersAndReload) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 5);
  auto list = four();
  list.push_back(instance(5));
  box.answer(0, list);
  EXPECT_TRUE(box.state(1).ejected);
  auto options = box.options;
  options.algorithm = Algorithm::kRoundRobin;
  box.cluster.set_options(options, box.now);
  EXPECT_TRUE(box.state(1).ejected);
  EXPECT_FALSE(is_used(box, 1));
  options.eject.consecutive = 0;
  box.cluster.set_options(options, box.now);
  EXPECT_TRUE(is_used(box, 1)) << "switched off";
  box.fail_times(box.state(1), 50);
  EXPECT_FALSE(box.state(1).ejected);
}

TEST(Ejection, AnInstanceThatLeftAndCameBackIsInWithItsCountKept) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 5);
  box.answer(0, {instance(2), instance(3), instance(4)});
  EXPECT_EQ(box.view_of(1).status, "absent");
  box.pass(1min);
  box.answer(0, four());
  EXPECT_FALSE(box.state(1).ejected);
  EXPECT_EQ(box.state(1).consecutive_failures, 0U);
  box.fail_times(box.state(1), 5);
  EXPECT_EQ(box.state(1).ejected_until - box.now, 60s) << "the second time";
}

TEST(Ejection, AnInstanceThatCameBackAtOnceGetsItsShareAtOnce) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 3);
  EXPECT_FALSE(is_used(box, 1)) << "failures count as load";
  box.answer(0, {instance(2), instance(3), instance(4)});
  box.pass(100ms);
  box.answer(0, four());
  const auto shares = box.shares(400);
  EXPECT_GT(shares.at(box.state(1).name), 60);
}

TEST(Ejection, ForgetsItsCountAfterTenGoodMinutes) {
  ClusterBox box;
  box.answer(0, four());
  box.fail_times(box.state(1), 5);
  box.pass(30s);
  box.request(Outcome::kSuccess);
  box.pass(10min);
  box.fail_times(box.state(1), 5);
  EXPECT_EQ(box.state(1).ejections, 1U);
}

TEST(Ejection, AProbeOfAnInstanceThatLeftMeanwhileHarmsNothing) {
  ClusterBox box;
  box.answer(0, four());
  const InstanceRef state(&box.state(1));
  box.fail_times(*state, 5);
  box.pass(30s);
  box.cluster.started(*box.pick(), box.now);
  box.answer(0, {instance(2)});
  box.cluster.finished(*state, Outcome::kReset, 1ms, box.now);
  EXPECT_FALSE(state->ejected);
  EXPECT_EQ(state->in_flight, 0U);
  EXPECT_EQ(state->failures, 6U);
  box.answer(0, four());
  box.pass(20s);  // its failures count as load for a while
  EXPECT_TRUE(is_used(box, 1));
}

// Every order of outcomes and time on two instances, against rules that must always hold.
TEST(EjectionOrders, HoldInAllSequencesOfSix) {
  enum Act { kGood, kBad, kNeutral, kHalf, kWhole, kAway, kActs };
  constexpr int kLength = 6;
  int total = 1;
  for (int i = 0; i < kLength; ++i) {
    total *= kActs;
  }
  ClusterOptions options;
  options.eject = {2, 10s, 20s, 50};
  for (int code = 0; code < total; ++code) {
    ClusterBox box(options, {"only"});
    box.answer(0, {instance(1), instance(2)});
    InstanceRef first(&box.state(1));
    int row = 0;
    std::string text;
    for (int rest = code, i = 0; i < kLength; ++i, rest /= kActs) {
      const bool ejected = first->ejected;
      const bool probing = first->probing;
      const auto count = first->ejections;
      switch (static_cast<Act>(rest % kActs)) {
        case kGood:
          text += "good ";
          box.run(*first, Outcome::kSuccess);
          row = 0;
          EXPECT_EQ(first->ejected, ejected && !probing);
          break;
        case kBad:
          text += "bad ";
          box.run(*first, Outcome::kReset);
          ++row;
          if (ejected) {
            EXPECT_EQ(first->ejections, count + (probing ? 1 : 0));
            EXPECT_TRUE(first->ejected);
          } else {
            EXPECT_EQ(first->ejected, row >= 2);
          }
          break;
        case kNeutral:
          text += "neutral ";
          box.run(*first, Outcome::kNeutral);
          EXPECT_EQ(first->ejected, ejected);
          break;
        case kHalf:
          text += "5s ";
          box.pass(5s);
          EXPECT_EQ(first->ejected, ejected) << "time alone returns nobody";
          break;
        case kWhole:
          text += "20s ";
          box.pass(20s);
          EXPECT_TRUE(!ejected || first->probing);
          break;
        default:
          text += "away ";
          box.answer(0, {instance(2)});
          box.answer(0, {instance(1), instance(2)});
          EXPECT_EQ(&box.state(1), first.get());
          EXPECT_FALSE(first->ejected);
          EXPECT_EQ(first->ejections, count);
          row = 0;
          break;
      }
      EXPECT_FALSE(first->probing && !first->ejected);
      EXPECT_EQ(first->in_flight, 0U);
      auto* picked = box.pick();
      EXPECT_TRUE(picked != nullptr && (!picked->ejected || picked->probing));
      ASSERT_FALSE(testing::Test::HasFailure()) << text;
    }
  }
}

}  // namespace
}  // namespace pilotfish::balancer
