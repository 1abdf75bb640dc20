#include <gtest/gtest.h>

#include "proxy/connection.hpp"

namespace pilotfish::proxy {
namespace {

using namespace std::chrono_literals;

constexpr TimePoint kStart{1h};

TEST(ClosingHabit, KeepsOffNothingWhileNoneWasSeen) {
  EXPECT_EQ(ClosingHabit{}.safe_idle(kStart), Duration::max());
}

TEST(ClosingHabit, KeepsOffFromHalfOfTheShortestIdleTimeSeenOn) {
  ClosingHabit habit;
  habit.closed_after(10s, kStart);
  EXPECT_EQ(habit.safe_idle(kStart), 5s);
  habit.closed_after(4s, kStart + 1s);
  EXPECT_EQ(habit.safe_idle(kStart + 1s), 2s);
  habit.closed_after(9s, kStart + 2s);
  EXPECT_EQ(habit.safe_idle(kStart + 2s), 2s) << "another reason to close";
}

TEST(ClosingHabit, IsForgottenAfterAMinuteWithoutAnotherOfTheKind) {
  ClosingHabit habit;
  habit.closed_after(0s, kStart);
  EXPECT_EQ(habit.safe_idle(kStart + 60s), 0s);
  EXPECT_EQ(habit.safe_idle(kStart + 61s), Duration::max());
  habit.closed_after(4s, kStart + 100s);
  habit.closed_after(5s, kStart + 150s);
  EXPECT_EQ(habit.safe_idle(kStart + 205s), 2s) << "the same again, more or less";
  habit.closed_after(20s, kStart + 206s);
  EXPECT_EQ(habit.safe_idle(kStart + 211s), Duration::max());
}

TEST(ClosingHabit, GoesOnWhereEachIsClosedAtOnce) {
  ClosingHabit habit;
  habit.closed_after(0s, kStart);
  habit.closed_after(0s, kStart + 50s);
  EXPECT_EQ(habit.safe_idle(kStart + 100s), 0s);
}

}  // namespace
}  // namespace pilotfish::proxy
