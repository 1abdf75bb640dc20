#include "resolver/absence.hpp"

#include <gtest/gtest.h>

namespace pilotfish::resolver {
namespace {

using namespace std::chrono_literals;
using Kind = AbsenceVerdict::Kind;
using Step = AbsencePlan::Step;

TEST(AbsencePlan, BelievesWhereNothingWasKnown) {
  AbsencePlan plan;
  EXPECT_EQ(plan.absent(false, TimePoint(1s)), Step::kBelieve);
}

TEST(AbsencePlan, AsksOnceAndBelievesWhatIsConfirmed) {
  AbsencePlan plan;
  EXPECT_EQ(plan.absent(true, TimePoint(1s)), Step::kAsk);
  EXPECT_TRUE(plan.told(Kind::kAbsent, TimePoint(1s)));
  for (auto at = 1s; at < 3600s; at += 7s) {
    EXPECT_EQ(plan.absent(false, TimePoint(at)), Step::kUse);
  }
}

TEST(AbsencePlan, AsksAnewWhenInstancesCameFromElsewhereSince) {
  AbsencePlan plan;
  (void)plan.absent(true, TimePoint(1s));
  plan.told(Kind::kAbsent, TimePoint(1s));
  EXPECT_EQ(plan.absent(true, TimePoint(2s)), Step::kAsk);
}

TEST(AbsencePlan, AsksAnewAfterDnsNamedInstances) {
  for (const auto kind : {Kind::kUntold, Kind::kAbsent, Kind::kPresent, Kind::kFailed}) {
    AbsencePlan plan;
    (void)plan.absent(true, TimePoint(1s));
    plan.told(kind, TimePoint(1s));
    plan.present();
    EXPECT_EQ(plan.absent(true, TimePoint(1s)), Step::kAsk);
  }
}

TEST(AbsencePlan, RenewsBesideEverySecondWhileTheApiHasWhatDnsDenies) {
  AbsencePlan plan;
  (void)plan.absent(true, TimePoint(0s));
  plan.told(Kind::kPresent, TimePoint(0s));
  int renewals = 0;
  for (auto at = 0ms; at < 60s; at += 10ms) {
    const auto step = plan.absent(true, TimePoint(at));
    EXPECT_NE(step, Step::kAsk) << "no lookup waits for the API again";
    if (step == Step::kUseAndRenew) {
      ++renewals;
      EXPECT_EQ(plan.absent(true, TimePoint(at)), Step::kUse) << "one at a time";
      plan.told(Kind::kPresent, TimePoint(at));
    }
  }
  EXPECT_EQ(renewals, 59);
}

TEST(AbsencePlan, AsksLessAndLessOftenWhereTheApiCannotTell) {
  for (const auto kind : {Kind::kUntold, Kind::kFailed}) {
    AbsencePlan plan;
    (void)plan.absent(true, TimePoint(0s));
    plan.told(kind, TimePoint(0s));
    std::vector<Duration> gaps;
    auto last = 0ms;
    for (auto at = 0ms; at < 60s; at += 10ms) {
      if (plan.absent(true, TimePoint(at)) == Step::kUseAndRenew) {
        gaps.emplace_back(at - last);
        last = at;
        plan.told(kind, TimePoint(at));
      }
    }
    EXPECT_EQ(gaps, (std::vector<Duration>{1s, 2s, 4s, 8s, 10s, 10s, 10s, 10s}));
  }
}

TEST(AbsencePlan, AsksNobodyWhereNothingIsKnownAnyMore) {
  AbsencePlan plan;
  (void)plan.absent(true, TimePoint(0s));
  plan.told(Kind::kUntold, TimePoint(0s));
  EXPECT_EQ(plan.absent(false, TimePoint(100s)), Step::kUse);
}

TEST(AbsencePlan, DropsAVerdictThatDnsOvertook) {
  AbsencePlan plan;
  (void)plan.absent(true, TimePoint(0s));
  plan.present();
  EXPECT_FALSE(plan.told(Kind::kAbsent, TimePoint(0s)));
  EXPECT_EQ(plan.absent(true, TimePoint(0s)), Step::kAsk);
}

}  // namespace
}  // namespace pilotfish::resolver
