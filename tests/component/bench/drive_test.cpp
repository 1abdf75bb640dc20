#include "bench/harness/drive.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "bench/harness/bulk_drive.hpp"
#include "bench/harness/farm.hpp"
#include "bench/harness/idle_crowd.hpp"
#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr auto kGenerous = seconds(60);

/// Until so many requests have ended; false where that takes too long.
template <class Condition>
bool eventually(Condition condition) {
  const auto until = Clock::now() + kGenerous;
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

DriveOptions to(const Farm& farm) {
  DriveOptions options;
  options.targets = farm.endpoints();
  options.connections = 8;
  options.timeout = kGenerous;
  return options;
}

TEST(Drive, AsksAsFastAsItIsAnswered) {
  Farm farm({FarmOptions::Kind::kHttp, 3});
  Drive drive(to(farm));
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 500; }));
  const auto report = drive.stop();
  EXPECT_EQ(report.failed, 0U);
  EXPECT_THAT(report.errors, IsEmpty());
  EXPECT_EQ(report.latency.count(), report.requests);
  EXPECT_EQ(report.bytes, report.requests * 100);
  EXPECT_GE(farm.requests(), report.requests);
}

TEST(Drive, CountsAnewAfterReset) {
  Farm farm({FarmOptions::Kind::kHttp, 1});
  Drive drive(to(farm));
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 300; }));
  const auto before = farm.requests();
  drive.reset();
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 10; }));
  const auto report = drive.stop();
  // Some were answered and not yet counted as it began.
  EXPECT_LE(report.requests, farm.requests() - before + 8);
  EXPECT_GT(report.during, Duration::zero());
}

TEST(Drive, AStallOfASecondIsInTheTailOfAllThatWereDueMeanwhile) {
  Farm farm({FarmOptions::Kind::kHttp, 1});
  auto options = to(farm);
  options.rate = 200;
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 20; }));
  drive.reset();
  farm.stall(seconds(1));
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 300; }));
  const auto report = drive.stop();
  EXPECT_EQ(report.failed, 0U);
  // A load that waits for its answers would have 8 slow requests; here 200 were due meanwhile.
  EXPECT_GE(report.latency.percentile(0.99), milliseconds(800));
  EXPECT_GE(report.latency.percentile(0.70), milliseconds(100));
}

TEST(Drive, KeepsItsRateWhateverComesBack) {
  Farm farm({FarmOptions::Kind::kHttp, 2});
  auto options = to(farm);
  options.rate = 1000;
  const auto began = Clock::now();
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 400; }));
  const auto report = drive.stop();
  const auto took = std::chrono::duration<double>(Clock::now() - began).count();
  EXPECT_GE(took, 0.38);  // never faster than asked for
  EXPECT_LE(static_cast<double>(report.requests), took * 1000 + 2);
}

TEST(Drive, WaitsAtItsEndForWhatWasDue) {
  Farm farm({FarmOptions::Kind::kHttp, 1});
  auto options = to(farm);
  options.rate = 100;
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 5; }));
  drive.reset();
  farm.stall(milliseconds(500));
  std::this_thread::sleep_for(milliseconds(100));  // the stall is what is measured
  const auto report = drive.stop();
  EXPECT_GE(report.requests, 5U);
  EXPECT_GE(report.latency.max(), milliseconds(300));
}

TEST(Drive, ANewConnectionForEveryRequest) {
  Farm farm({FarmOptions::Kind::kHttp, 2});
  auto options = to(farm);
  options.new_connections = true;
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 500; }));
  EXPECT_EQ(drive.stop().failed, 0U);
}

TEST(Drive, LargeBodiesBothWays) {
  Farm farm({FarmOptions::Kind::kHttp, 2});
  auto options = to(farm);
  options.answer_bytes = 3'000'000;
  options.upload_bytes = 2'000'000;
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 20; }));
  const auto report = drive.stop();
  EXPECT_EQ(report.failed, 0U);
  EXPECT_EQ(report.bytes, report.requests * 5'000'000);
}

TEST(Drive, MessagesComeBackWhole) {
  Farm farm({FarmOptions::Kind::kEcho, 1});
  for (const std::size_t size : {64UL, 5'000'000UL}) {
    auto options = to(farm);
    options.protocol = DriveOptions::Protocol::kEcho;
    options.upload_bytes = options.answer_bytes = size;
    Drive drive(options);
    ASSERT_TRUE(eventually([&] { return drive.requests() >= 20; })) << size;
    EXPECT_EQ(drive.stop().failed, 0U) << size;
  }
}

TEST(Drive, ARefusedConnectionIsAFailedRequestThatSaysSo) {
  DriveOptions options;
  options.targets = {free_loopback_port()};
  options.connections = 2;
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 6; }));
  const auto report = drive.stop();
  EXPECT_EQ(report.failed, report.requests);
  ASSERT_EQ(report.errors.size(), 1U);
  EXPECT_THAT(report.errors.begin()->first, HasSubstr("connect: "));
}

TEST(Drive, WhatIsNotAnsweredInTimeHasFailed) {
  Farm farm({FarmOptions::Kind::kSink, 1});
  auto options = to(farm);
  options.timeout = milliseconds(50);
  Drive drive(options);
  ASSERT_TRUE(eventually([&] { return drive.requests() >= 8; }));
  const auto report = drive.stop();
  EXPECT_EQ(report.failed, report.requests);
  EXPECT_EQ(report.errors.begin()->first, "no whole answer in time");
}

TEST(BulkDrive, MovesBytesBothWays) {
  for (const bool upload : {false, true}) {
    Farm farm({upload ? FarmOptions::Kind::kSink : FarmOptions::Kind::kSource, 2});
    BulkOptions options;
    options.targets = farm.endpoints();
    options.upload = upload;
    BulkDrive drive(options);
    std::this_thread::sleep_for(milliseconds(50));  // that long it is measured
    const auto report = drive.stop();
    EXPECT_GT(report.bytes, 0U);
    EXPECT_EQ(report.failed, 0U);
  }
}

TEST(IdleCrowd, EachMakesOneRequestAndStays) {
  Farm farm({FarmOptions::Kind::kHttp, 2});
  const IdleCrowd crowd(farm.endpoints(), 200, kGenerous);
  EXPECT_EQ(crowd.size(), 200U);
  EXPECT_EQ(crowd.error(), "");
  EXPECT_EQ(farm.requests(), 200U);
}

TEST(IdleCrowd, SaysWhyThereAreFewer) {
  const IdleCrowd crowd({free_loopback_port()}, 10, kGenerous);
  EXPECT_LE(crowd.size(), 1U);
  EXPECT_NE(crowd.error(), "");
}

}  // namespace
}  // namespace pilotfish::bench
