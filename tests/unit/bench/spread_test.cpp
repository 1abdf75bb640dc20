#include "bench/scenarios/spread.hpp"

#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;

const TimePoint kStart = TimePoint() + std::chrono::seconds(100);

/// So many requests for the port, spread over the stretch.
void send(std::vector<Arrival>& arrivals, std::uint16_t port, int count, int from_ms, int to_ms) {
  for (int i = 0; i < count; ++i) {
    arrivals.push_back(
        {kStart + milliseconds(from_ms) + milliseconds(to_ms - from_ms) * i / count, port});
  }
}

TEST(Spread, IsMaximumOverMeanOfASetThatDoesNotChange) {
  std::vector<Arrival> arrivals;
  send(arrivals, 1, 100, 0, 1000);
  send(arrivals, 2, 50, 0, 1000);
  send(arrivals, 3, 150, 0, 1000);
  const auto spread = measure_spread({1, 2, 3}, {}, arrivals, kStart);
  EXPECT_DOUBLE_EQ(spread.imbalance, 1.5);
  EXPECT_EQ(spread.instances, 3U);
  EXPECT_EQ(spread.with_traffic, 3U);
}

TEST(Spread, AnInstanceThatCameLateIsMeasuredByItsTime) {
  RegistryChange change;
  change.joining = {3};
  change.changed = kStart + milliseconds(500);
  std::vector<Arrival> arrivals;
  send(arrivals, 1, 150, 0, 500);
  send(arrivals, 2, 150, 0, 500);
  for (const std::uint16_t port : {1, 2, 3}) send(arrivals, port, 100, 500, 1000);
  const auto spread = measure_spread({1, 2}, {change}, arrivals, kStart);
  EXPECT_NEAR(spread.imbalance, 1.0, 0.001);
  EXPECT_EQ(spread.instances, 3U);
}

TEST(Spread, WhoGotNothingIsCounted) {
  std::vector<Arrival> arrivals;
  send(arrivals, 1, 100, 0, 1000);
  send(arrivals, 2, 100, 0, 1000);
  const auto spread = measure_spread({1, 2, 3, 4}, {}, arrivals, kStart);
  EXPECT_EQ(spread.instances, 4U);
  EXPECT_EQ(spread.with_traffic, 2U);
  EXPECT_EQ(spread.requests_until_all, 0U);
  EXPECT_DOUBLE_EQ(spread.imbalance, 2.0);
}

TEST(Spread, TellsHowManyRequestsItTookToReachAll) {
  const std::vector<Arrival> arrivals = {
      {kStart - milliseconds(1), 3}, {kStart, 1},
      {kStart + milliseconds(1), 1}, {kStart + milliseconds(2), 2},
      {kStart + milliseconds(3), 3}, {kStart + milliseconds(4), 1}};
  EXPECT_EQ(measure_spread({1, 2, 3}, {}, arrivals, kStart).requests_until_all, 4U)
      << "what came before the start does not count";
}

TEST(Spread, AFewRequestsAreNoEvidence) {
  std::vector<Arrival> arrivals;
  send(arrivals, 1, 3, 0, 1000);
  send(arrivals, 2, 1, 0, 1000);
  EXPECT_DOUBLE_EQ(measure_spread({1, 2}, {}, arrivals, kStart).imbalance, 0);
}

}  // namespace
}  // namespace pilotfish::bench
