#include <gtest/gtest.h>

#include "registry/consul_plan.hpp"
#include "registry/etcd_plan.hpp"

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;
using C = ConsulPlan::Step;
using E = EtcdPlan::Step;

const TimePoint kStart = TimePoint{} + 1h;

TEST(ConsulPlan, RegistersThenAsksEveryTwoSeconds) {
  ConsulPlan plan;
  plan.want({});
  EXPECT_EQ(plan.next(kStart).step, C::kRegister);
  plan.registered(kStart);
  const auto idle = plan.next(kStart);
  EXPECT_EQ(idle.step, C::kWait);
  EXPECT_EQ(idle.at, kStart + 2s);
  EXPECT_EQ(plan.next(kStart + 2s).step, C::kAsk);
  plan.asked(true, kStart + 2s);
  EXPECT_EQ(plan.next(kStart + 2s).at, kStart + 4s);
}

TEST(ConsulPlan, RegistersAgainWhatTheAgentForgotWithinThreeSeconds) {
  ConsulPlan plan;
  plan.want({});
  plan.registered(kStart);
  const auto asked = plan.next(kStart).at;
  plan.asked(false, asked);
  EXPECT_EQ(plan.next(asked).step, C::kRegister);
  EXPECT_LE(asked - kStart, 3s);
}

TEST(ConsulPlan, PassesATtlCheckAtOnceAndAtAThirdOfIt) {
  ConsulPlan plan;
  plan.want(3s);
  plan.registered(kStart);
  EXPECT_EQ(plan.next(kStart).step, C::kPass);
  plan.passed(kStart);
  EXPECT_EQ(plan.next(kStart).at, kStart + 1s);
  EXPECT_EQ(plan.next(kStart + 1s).step, C::kPass);
  plan.passed(kStart + 1s);
  EXPECT_EQ(plan.next(kStart + 2s).step, C::kPass);
}

TEST(ConsulPlan, AnUnknownCheckMeansThatTheServiceIsLost) {
  ConsulPlan plan;
  plan.want(3s);
  plan.registered(kStart);
  plan.pass_unknown();
  EXPECT_EQ(plan.next(kStart).step, C::kRegister);
}

TEST(ConsulPlan, ATinyTtlDoesNotSpin) {
  ConsulPlan plan;
  plan.want(1ms);
  plan.registered(kStart);
  plan.passed(kStart);
  EXPECT_GE(plan.next(kStart).at - kStart, 50ms);
}

TEST(ConsulPlan, WaitsAfterAFailure) {
  ConsulPlan plan;
  plan.want({});
  plan.failed(kStart, 400ms, false);
  EXPECT_EQ(plan.next(kStart).step, C::kWait);
  EXPECT_EQ(plan.next(kStart).at, kStart + 400ms);
  EXPECT_EQ(plan.next(kStart + 400ms).step, C::kRegister);
}

TEST(ConsulPlan, WithdrawsWhatMayBeThereAndForgetsWhatNeverWas) {
  ConsulPlan never;
  never.want({});
  never.failed(kStart, 1s, false);
  never.withdraw();
  EXPECT_EQ(never.next(kStart).step, C::kGone);

  ConsulPlan perhaps;
  perhaps.want({});
  perhaps.failed(kStart, 1s, true);
  perhaps.withdraw();
  EXPECT_EQ(perhaps.next(kStart).step, C::kDeregister) << "stop does not wait for the back-off";
  perhaps.failed(kStart, 1s, true);
  EXPECT_EQ(perhaps.next(kStart).step, C::kWait);
  perhaps.deregistered();
  EXPECT_EQ(perhaps.next(kStart).step, C::kGone);
}

TEST(ConsulPlan, WantedAgainAfterWithdrawalIsRegisteredAgain) {
  ConsulPlan plan;
  plan.want({});
  plan.registered(kStart);
  plan.withdraw();
  plan.want({});
  EXPECT_EQ(plan.next(kStart).step, C::kRegister);
  plan.withdraw();
  plan.deregistered();
  plan.want({});
  EXPECT_EQ(plan.next(kStart).step, C::kRegister);
}

TEST(ConsulPlan, AChangedFormIsRegisteredInPlace) {
  ConsulPlan plan;
  plan.want({});
  plan.registered(kStart);
  plan.want(10s);
  EXPECT_EQ(plan.next(kStart).step, C::kRegister);
}

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
