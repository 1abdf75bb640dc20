#include "bench/lab/narration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/lab/summary.hpp"
#include "bench/lab/view.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

const TimePoint kStart = TimePoint() + std::chrono::seconds(9);

TEST(Narration, SaysWhatIsExpectedOfEachStepWithinATerminal) {
  const auto plan = plan_demo(std::chrono::seconds(10));
  for (const auto& step : plan.steps) {
    EXPECT_FALSE(step_name(step.kind).empty());
    const auto text = step_announcement(step.kind, plan);
    EXPECT_THAT(text, HasSubstr(" -> expect "));
    EXPECT_LE(text.size(), 70U) << text;
  }
}

TEST(Narration, TellsWhenTheOtherTierTookOver) {
  const auto plan = plan_demo(std::chrono::seconds(10));
  Observation seen(kStart, step_expectation(StepKind::kTierFails));
  seen.see({kStart + milliseconds(3), kStart + milliseconds(4), true, "v4 #1"});
  seen.see({kStart + milliseconds(11), kStart + milliseconds(12), true, "v3 #1"});
  const auto outcome = step_outcome(StepKind::kTierFails, plan, seen, 0);
  EXPECT_TRUE(outcome.as_expected);
  EXPECT_EQ(outcome.text, "v3 took over after 12ms, last request to v4 at 3.0ms");
}

TEST(Narration, AdmitsThatNothingHappened) {
  const auto plan = plan_demo(std::chrono::seconds(10));
  for (const auto& step : plan.steps) {
    if (step.kind == StepKind::kStop) continue;
    const Observation nothing(kStart, step_expectation(step.kind));
    EXPECT_FALSE(step_outcome(step.kind, plan, nothing, 0).as_expected) << step_name(step.kind);
  }
}

TEST(Summary, ListsStepsErrorsAndTheVerdict) {
  LoadReport report;
  report.requests = 4000;
  report.failed = 2;
  report.errors["503 no instance"] = 2;
  report.latency.record(milliseconds(1));
  SummaryInput input;
  input.elapsed = std::chrono::seconds(10);
  input.rate = 400;
  input.steps.push_back({StepKind::kKill, "v3 #2 carried on", true, 2});
  input.served = {{"v3", 1000}, {"v4", 2998}};
  input.metrics["pilotfish_upstream_tier_changes_total{upstream=\"b\",reason=\"healthy\"}"] = 1;
  input.metrics["pilotfish_upstream_tier_changes_total{upstream=\"b\",reason=\"empty\"}"] = 2;
  const auto text = render_summary(input, report);
  EXPECT_THAT(text, HasSubstr("2 x 503 no instance"));
  EXPECT_THAT(text, HasSubstr("v3 1000, v4 2998"));
  EXPECT_THAT(text, HasSubstr("3 (empty 2, healthy 1)"));
  EXPECT_EQ(verdict(report), "4000 requests, 2 failed");
}

TEST(DemoView, ConfiguresTheSidecarForTheScript) {
  const Endpoint admin = *Endpoint::parse("127.0.0.1:1001");
  const Endpoint listen = *Endpoint::parse("127.0.0.1:1002");
  const Endpoint registry = *Endpoint::parse("127.0.0.1:1003");
  const auto text =
      demo_configuration(admin, listen, registry, plan_demo(std::chrono::seconds(30)), true);
  EXPECT_THAT(text, HasSubstr("admin: 127.0.0.1:1001\n"));
  EXPECT_THAT(text, HasSubstr("access: stderr"));
  EXPECT_THAT(text, HasSubstr("listen: 127.0.0.1:1002\n"));
  EXPECT_THAT(text, HasSubstr("dns: \"127.0.0.1:1003\""));
  EXPECT_THAT(text, HasSubstr("prefer: [v4, v3]"));
  EXPECT_THAT(text, HasSubstr("fail_back_after: 3000ms"));
}

}  // namespace
}  // namespace pilotfish::bench
