#include "registry/watch_budget.hpp"

#include <gtest/gtest.h>

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;

TEST(WatchBudget, IsAHundredServicesAtMost) {
  WatchBudget budget;
  EXPECT_EQ(budget.limit(), 100U);
  EXPECT_FALSE(budget.relax(TimePoint{1h}));
}

TEST(WatchBudget, GivesAQuarterWayOnceForManyRefusalsOfOneMoment) {
  WatchBudget budget;
  const TimePoint now{1h};
  EXPECT_TRUE(budget.refused(80, now));
  EXPECT_EQ(budget.limit(), 60U);
  for (int i = 0; i < 60; ++i) {
    EXPECT_FALSE(budget.refused(60, now + 5ms * i));
  }
  EXPECT_TRUE(budget.refused(60, now + 1s));
  EXPECT_EQ(budget.limit(), 45U);
}

TEST(WatchBudget, WhoWatchesNothingHasNothingToGive) {
  WatchBudget budget;
  EXPECT_FALSE(budget.refused(0, TimePoint{1h}));
  EXPECT_EQ(budget.limit(), 100U);
}

TEST(WatchBudget, KeepsOneServiceHoweverOftenItIsRefused) {
  WatchBudget budget;
  TimePoint now{1h};
  for (int i = 0; i < 50; ++i) {
    (void)budget.refused(budget.limit(), now += 1s);
  }
  EXPECT_EQ(budget.limit(), 1U);
}

TEST(WatchBudget, TakesBackATenthEachHalfMinuteWithoutARefusal) {
  WatchBudget budget;
  TimePoint now{1h};
  (void)budget.refused(100, now);
  EXPECT_FALSE(budget.relax(now + 29s));
  EXPECT_TRUE(budget.relax(now += 30s));
  EXPECT_EQ(budget.limit(), 82U);
  EXPECT_FALSE(budget.relax(now + 29s));
  for (int i = 0; i < 20; ++i) {
    (void)budget.relax(now += 30s);
  }
  EXPECT_EQ(budget.limit(), 100U);
}

}  // namespace
}  // namespace pilotfish::registry
