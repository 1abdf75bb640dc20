#include "registry/etcd_plan.hpp"

#include <gtest/gtest.h>

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;
using E = EtcdPlan::Step;

const TimePoint kStart = TimePoint{} + 1h;

EtcdPlan announced() {
  EtcdPlan plan;
  plan.want(false);
  plan.set_healthy(true);
  plan.granted(7, 30s, kStart);
  plan.put_done();
  return plan;
}

TEST(EtcdPlan, WaitsForTheFirstVerdictOfTheCheck) {
  EtcdPlan plan;
  plan.want(false);
  EXPECT_EQ(plan.next(kStart).step, E::kWait);
  plan.set_healthy(true);
  EXPECT_EQ(plan.next(kStart).step, E::kGrant);
}

TEST(EtcdPlan, GrantsPutsAndKeepsAliveAtAThirdOfTheLease) {
  EtcdPlan plan;
  plan.want(false);
  plan.set_healthy(true);
  plan.granted(7, 30s, kStart);
  EXPECT_EQ(plan.next(kStart).step, E::kPut);
  EXPECT_EQ(plan.lease(), 7);
  plan.put_done();
  EXPECT_EQ(plan.next(kStart).at, kStart + 10s);
  EXPECT_EQ(plan.next(kStart + 10s).step, E::kKeepAlive);
  plan.kept(kStart + 10s);
  EXPECT_EQ(plan.next(kStart + 10s).step, E::kVerify);
  plan.verified(true);
  EXPECT_EQ(plan.next(kStart + 10s).at, kStart + 20s);
}

TEST(EtcdPlan, GrantsAnewWhenTheLeaseIsLost) {
  auto plan = announced();
  plan.lease_lost();
  EXPECT_EQ(plan.next(kStart).step, E::kGrant);
  plan.granted(8, 30s, kStart);
  EXPECT_EQ(plan.next(kStart).step, E::kPut);
}

TEST(EtcdPlan, PutsAVanishedRecordAgain) {
  auto plan = announced();
  plan.kept(kStart + 10s);
  plan.verified(false);
  EXPECT_EQ(plan.next(kStart + 10s).step, E::kPut);
}

TEST(EtcdPlan, FollowsTheCheck) {
  auto plan = announced();
  plan.set_healthy(false);
  EXPECT_EQ(plan.next(kStart).step, E::kWithdraw);
  plan.withdrawn();
  EXPECT_EQ(plan.next(kStart).step, E::kWait);
  plan.set_healthy(true);
  EXPECT_EQ(plan.next(kStart).step, E::kGrant);
}

TEST(EtcdPlan, IsGoneOnlyAfterWithdrawal) {
  auto plan = announced();
  plan.withdraw();
  EXPECT_EQ(plan.next(kStart).step, E::kWithdraw);
  plan.failed(kStart, 100ms, true);
  EXPECT_EQ(plan.next(kStart).step, E::kWait);
  EXPECT_EQ(plan.next(kStart + 100ms).step, E::kWithdraw);
  plan.withdrawn();
  EXPECT_EQ(plan.next(kStart).step, E::kGone);
}

TEST(EtcdPlan, APutWhoseAnswerWasLostIsWithdrawnAllTheSame) {
  EtcdPlan plan;
  plan.want(false);
  plan.set_healthy(true);
  plan.granted(7, 30s, kStart);
  plan.failed(kStart, 1s, true);
  plan.lease_lost();
  plan.withdraw();
  EXPECT_EQ(plan.next(kStart).step, E::kWithdraw);
}

TEST(EtcdPlan, AnotherLeaseLengthMovesTheRecordAndLeavesTheOldLeaseToRevoke) {
  auto plan = announced();
  plan.want(true);
  EXPECT_EQ(plan.next(kStart).step, E::kGrant);
  plan.granted(8, 60s, kStart);
  plan.put_done();
  EXPECT_EQ(plan.take_old_lease(), 7);
  EXPECT_FALSE(plan.take_old_lease());
}

TEST(EtcdPlan, AChangedValueIsPutUnderTheSameLease) {
  auto plan = announced();
  plan.want(false);
  EXPECT_EQ(plan.next(kStart).step, E::kPut);
  EXPECT_EQ(plan.lease(), 7);
}

}  // namespace
}  // namespace pilotfish::registry
