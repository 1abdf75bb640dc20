#include "bench/lab/observation.hpp"

#include <gtest/gtest.h>

#include "bench/lab/traffic.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;

const TimePoint kStart = TimePoint() + std::chrono::seconds(100);

Completion answered(int planned_ms, int done_ms, const std::string& instance) {
  return {kStart + milliseconds(planned_ms), kStart + milliseconds(done_ms), true, instance};
}

TEST(Observation, TellsWhenTheOtherTierTookOver) {
  Observation seen(kStart, {"v3", "v4"});
  seen.see(answered(2, 3, "v4 #1"));
  seen.see(answered(9, 12, "v3 #2"));
  seen.see(answered(10, 11, "v4 #2"));
  EXPECT_EQ(seen.first_arrival(), milliseconds(12));
  EXPECT_EQ(seen.last_leaving(), milliseconds(10));
  EXPECT_EQ(seen.failed(), 0U);
}

TEST(Observation, SettlesOnceTheLeavingOnesAreQuiet) {
  Observation seen(kStart, {"v3", "v4"});
  seen.see(answered(10, 11, "v4 #1"));
  EXPECT_FALSE(seen.settled(kStart + milliseconds(900), milliseconds(250))) << "nothing arrived";
  seen.see(answered(11, 12, "v3 #1"));
  EXPECT_FALSE(seen.settled(kStart + milliseconds(259), milliseconds(250)));
  EXPECT_TRUE(seen.settled(kStart + milliseconds(260), milliseconds(250)));
}

TEST(Observation, IgnoresRequestsThatWereUnderWayBefore) {
  Observation seen(kStart, {"v3", "v4"});
  seen.see(answered(-5, -1, "v3 #1"));
  seen.see(answered(-1, 4, "v4 #1"));
  EXPECT_FALSE(seen.first_arrival());
  EXPECT_FALSE(seen.last_leaving());
  EXPECT_EQ(seen.requests(), 1U);
}

TEST(Observation, CountsFailuresThatEndAfterTheStep) {
  Observation seen(kStart, {"v3", ""});
  Completion failed = answered(-1, 4, "");
  failed.ok = false;
  seen.see(failed);
  EXPECT_EQ(seen.failed(), 1U);
}

TEST(RecentTraffic, ForgetsWhatIsOlderThanItsWindow) {
  RecentTraffic traffic(std::chrono::seconds(1));
  for (int i = 0; i < 3000; i += 10) traffic.add(answered(i, i + 2, i < 1500 ? "v4 #1" : "v3 #1"));
  traffic.advance(kStart + milliseconds(3000));
  EXPECT_NEAR(traffic.figures().rate, 100, 2);
  EXPECT_EQ(traffic.figures("v4 #1").rate, 0);
  EXPECT_EQ(traffic.figures("v3 #1").p99, milliseconds(2));
}

TEST(RecentTraffic, RatesTheFirstMomentsByTheTimeThatPassed) {
  RecentTraffic traffic(std::chrono::seconds(1));
  for (int i = 0; i < 200; i += 10) traffic.add(answered(i, i + 1, "v4 #1"));
  traffic.advance(kStart + milliseconds(200));
  EXPECT_NEAR(traffic.figures().rate, 100, 2);
}

}  // namespace
}  // namespace pilotfish::bench
