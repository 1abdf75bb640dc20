#include "bench/scenarios/speed.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using std::chrono::microseconds;
using testing::ElementsAre;

TEST(LatencyCurve, AscendsFromTheFastestToTheSlowest) {
  LatencyHistogram latency;
  for (int i = 1; i <= 1000; ++i) latency.record(microseconds(i));
  const auto curve = latency_curve(latency);
  ASSERT_GT(curve.size(), 10U);
  for (std::size_t i = 1; i < curve.size(); ++i) {
    EXPECT_LT(curve[i - 1].first, curve[i].first);
    EXPECT_LE(curve[i - 1].second, curve[i].second);
  }
  EXPECT_EQ(curve.front().first, 0);
  EXPECT_EQ(curve.back(), (std::pair<double, double>(1, 1000)));
  for (const auto& [fraction, value] : curve) {
    if (fraction == 0.5) {
      EXPECT_NEAR(value, 500, 5);
    }
  }
}

TEST(LatencyCurve, HasNoMoreOfATailThanThereWereRequests) {
  LatencyHistogram latency;
  for (int i = 1; i <= 100; ++i) latency.record(microseconds(i));
  const auto curve = latency_curve(latency);
  ASSERT_GE(curve.size(), 2U);
  EXPECT_LE(curve[curve.size() - 2].first, 0.99);  // a hundred do not have a 99.9th percentile
  EXPECT_TRUE(latency_curve({}).empty());
}

TEST(SpeedAssignment, PilotfishLooksUpWhatTheOthersAreTold) {
  const auto registry = start_registry("embedded");
  const Peers peers;
  BenchOptions options;
  const std::vector<Endpoint> instances{{IpAddress::v4({127, 0, 0, 1}), 9001}};
  const auto ours =
      speed_assignment(peers.find("pilotfish"), options, "http", *registry, instances);
  EXPECT_THAT(ours.templates, ElementsAre("http_consul", "http_static"));
  EXPECT_EQ(ours.addresses.at("dns"), registry->dns());
  EXPECT_EQ(ours.processor, 0);
  options.pin = false;
  const auto theirs = speed_assignment(peers.find("haproxy"), options, "tcp", *registry, instances);
  EXPECT_THAT(theirs.templates, ElementsAre("tcp_static"));
  EXPECT_EQ(theirs.instances, instances);
  EXPECT_EQ(theirs.processor, -1);
}

}  // namespace
}  // namespace pilotfish::bench
