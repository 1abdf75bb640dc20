#include "bench/harness/load.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "bench/harness/backend.hpp"
#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

LoadOptions to(const Endpoint& server, double rate) {
  LoadOptions options;
  options.rate = rate;
  options.target = [server](Random&) { return server; };
  return options;
}

template <class Condition>
bool eventually(Condition condition) {
  const auto until = Clock::now() + seconds(10);
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

TEST(Load, KeepsItsRateAndCountsEveryRequestOnce) {
  LoopThread loop;
  Backend backend(loop, {});
  Load load(to(backend.endpoint(), 500));
  const auto start = Clock::now();
  load.start();
  ASSERT_TRUE(eventually([&] { return load.report().requests >= 200; }));
  load.stop(seconds(5));
  const std::chrono::duration<double> took = Clock::now() - start;
  const auto report = load.report();
  EXPECT_EQ(report.failed, 0U) << (report.errors.empty() ? "" : report.errors.begin()->first);
  EXPECT_GE(took.count(), 0.39);
  EXPECT_EQ(report.latency.count(), report.requests);
  EXPECT_EQ(load.drain().size(), report.requests);
  EXPECT_TRUE(load.drain().empty());
  EXPECT_EQ(backend.requests(), report.requests);
}

TEST(Load, CountsLatencyFromThePlannedTime) {
  LoopThread loop;
  Backend backend(loop, {});
  backend.set_delay(milliseconds(20));
  auto options = to(backend.endpoint(), 200);
  options.max_connections = 1;  // 50 a second is what it can do: the rest queues
  Load load(std::move(options));
  load.start();
  ASSERT_TRUE(eventually([&] { return load.report().requests >= 20; }));
  load.stop(seconds(10));
  EXPECT_EQ(load.report().failed, 0U);
  EXPECT_GE(load.report().latency.max(), milliseconds(200));
}

TEST(Load, ReusesConnectionsButForTheShareThatIsNew) {
  LoopThread loop;
  Backend backend(loop, {});
  for (const double share : {0.0, 1.0}) {
    std::atomic<int> opened{0};
    LoadOptions options;
    options.rate = 300;
    options.new_connection_share = share;
    options.target = [&, server = backend.endpoint()](Random&) {
      ++opened;
      return server;
    };
    Load load(std::move(options));
    load.start();
    ASSERT_TRUE(eventually([&] { return load.report().requests >= 60; }));
    load.stop(seconds(5));
    const auto report = load.report();
    EXPECT_EQ(report.failed, 0U);
    if (share == 0) {
      EXPECT_LT(opened.load(), static_cast<int>(report.requests) / 2);
    } else {
      EXPECT_EQ(opened.load(), static_cast<int>(report.requests));
    }
  }
}

TEST(Load, SaysWhyRequestsFailed) {
  LoopThread loop;
  Backend backend(loop, {});
  Load load(to(backend.endpoint(), 300));
  backend.set_status(503);
  load.start();
  ASSERT_TRUE(eventually([&] { return load.report().failed >= 5; }));
  backend.kill();
  ASSERT_TRUE(eventually([&] {
    const auto errors = load.report().errors;
    return errors.contains("connect: Connection refused");
  }));
  load.stop(seconds(5));
  const auto report = load.report();
  EXPECT_EQ(report.failed, report.requests);
  EXPECT_TRUE(report.errors.contains("503 v1 #1")) << report.errors.begin()->first;
}

TEST(Load, GivesUpOnWhatTakesTooLong) {
  LoopThread loop;
  Backend backend(loop, {});
  backend.pause();
  auto options = to(backend.endpoint(), 100);
  options.timeout = milliseconds(50);
  Load load(std::move(options));
  load.start();
  ASSERT_TRUE(eventually([&] { return load.report().failed >= 3; }));
  load.stop(seconds(5));
  EXPECT_TRUE(load.report().errors.contains("no whole answer in time"));
}

TEST(Load, StopFailsWhatIsNotDoneAfterTheGrace) {
  LoopThread loop;
  Backend backend(loop, {});
  backend.pause();
  Load load(to(backend.endpoint(), 100));
  load.start();
  ASSERT_TRUE(eventually([&] { return backend.connections() >= 2; }));
  load.stop(milliseconds(1));
  const auto report = load.report();
  EXPECT_GE(report.requests, 2U);
  EXPECT_EQ(report.failed, report.requests);
}

}  // namespace
}  // namespace pilotfish::bench
