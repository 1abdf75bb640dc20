#include "bench/scenarios/churn_plan.hpp"

#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

ChurnOptions long_churn() {
  ChurnOptions options;
  options.length = std::chrono::seconds(100);
  options.dwell = std::chrono::milliseconds(500);
  return options;
}

TEST(ChurnPlan, TheSameSeedGivesTheSamePlanAndAnotherAnother) {
  Random first(7);
  Random same(7);
  Random other(8);
  const auto plan = plan_churn(long_churn(), first);
  const auto again = plan_churn(long_churn(), same);
  const auto different = plan_churn(long_churn(), other);
  ASSERT_EQ(plan.size(), again.size());
  for (std::size_t i = 0; i < plan.size(); ++i) {
    EXPECT_EQ(plan[i].at, again[i].at);
    EXPECT_EQ(plan[i].instance, again[i].instance);
  }
  EXPECT_NE(plan.front().at, different.front().at);
}

TEST(ChurnPlan, KeepsItsRateAndItsLength) {
  Random random(1);
  const auto plan = plan_churn(long_churn(), random);
  EXPECT_GT(plan.size(), 800U);
  EXPECT_LT(plan.size(), 1200U);
  EXPECT_LT(plan.back().at, std::chrono::seconds(100));
}

TEST(ChurnPlan, ComingsAndGoingsAlternateAndLastTheirTime) {
  const auto options = long_churn();
  Random random(3);
  std::vector<bool> in(options.instances);
  std::fill_n(in.begin(), options.at_first, true);
  std::vector<Duration> since(options.instances, Duration(-std::chrono::hours(1)));
  std::size_t inside = options.at_first;
  Duration before{};
  for (const auto& step : plan_churn(options, random)) {
    EXPECT_GE(step.at, before);
    before = step.at;
    EXPECT_NE(in[step.instance], step.comes);
    EXPECT_GE(step.at - since[step.instance], options.dwell);
    in[step.instance] = step.comes;
    since[step.instance] = step.at;
    inside = step.comes ? inside + 1 : inside - 1;
    EXPECT_GE(inside, options.least);
  }
}

}  // namespace
}  // namespace pilotfish::bench
