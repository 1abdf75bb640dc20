#include "bench/lab/script.hpp"

#include <gtest/gtest.h>
#include <set>

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Duration at(const DemoPlan& plan, StepKind kind) {
  for (const auto& step : plan.steps) {
    if (step.kind == kind) return step.at;
  }
  ADD_FAILURE() << "no such step";
  return {};
}

TEST(DemoScript, FitsAnyLengthFromFiveSecondsOn) {
  for (Duration total = kShortestDemo; total <= seconds(60); total += milliseconds(100)) {
    const auto plan = plan_demo(total);
    ASSERT_EQ(plan.steps.size(), 7U);
    std::set<StepKind> kinds;
    Duration before{};
    for (const auto& step : plan.steps) {
      kinds.insert(step.kind);
      EXPECT_GE(step.at - before, milliseconds(290)) << "no time to observe what went before";
      before = step.at;
    }
    EXPECT_EQ(kinds.size(), 7U);
    EXPECT_GE(total - before, milliseconds(300));
  }
}

TEST(DemoScript, BringsV4BackWellBeforeItIsScaledDown) {
  for (Duration total = kShortestDemo; total <= seconds(60); total += milliseconds(100)) {
    const auto plan = plan_demo(total);
    const auto back = at(plan, StepKind::kTierReturns) + plan.fail_back_after;
    EXPECT_GE(at(plan, StepKind::kScaleDown) - back, milliseconds(450));
  }
}

TEST(DemoScript, FailBackIsATenthButAtLeastASecond) {
  EXPECT_EQ(plan_demo(seconds(5)).fail_back_after, seconds(1));
  EXPECT_EQ(plan_demo(seconds(10)).fail_back_after, seconds(1));
  EXPECT_EQ(plan_demo(seconds(60)).fail_back_after, seconds(6));
}

TEST(DemoScript, KillsWhileTheOtherTierServesAndBeforeTheRegistryNotices) {
  const auto plan = plan_demo(seconds(10));
  EXPECT_LT(at(plan, StepKind::kTierFails), at(plan, StepKind::kKill));
  EXPECT_LT(at(plan, StepKind::kKill), at(plan, StepKind::kNotice));
  EXPECT_LT(at(plan, StepKind::kNotice), at(plan, StepKind::kTierReturns));
}

TEST(ParseDuration, TakesNumberAndUnit) {
  EXPECT_EQ(parse_duration("10s"), seconds(10));
  EXPECT_EQ(parse_duration("1500ms"), milliseconds(1500));
  EXPECT_EQ(parse_duration("0.5m"), seconds(30));
  EXPECT_EQ(parse_duration("1h"), std::chrono::hours(1));
}

TEST(ParseDuration, RefusesAnythingElse) {
  for (const char* text : {"", "10", "s", "-5s", "5 s", "5sec", "nan", "infs", "1e400s"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

}  // namespace
}  // namespace pilotfish::bench
