#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/scenarios/options.hpp"
#include "bench/scenarios/progress.hpp"
#include "bench/scenarios/rounds.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

std::string error_of(const BenchArguments& arguments) {
  try {
    static_cast<void>(understand(arguments, {}));
  } catch (const WrongUsage& error) {
    return error.what();
  }
  return "no error";
}

TEST(BenchOptions, TheScenariosDefaultsWhereTheCommandLineIsSilent) {
  BenchDefaults defaults;
  defaults.registry = "consul";
  defaults.against = {"haproxy"};
  defaults.duration = seconds(7);
  defaults.rounds = 2;
  const auto options = understand({}, defaults);
  EXPECT_EQ(options.registry, "consul");
  EXPECT_THAT(options.against, ElementsAre("haproxy"));
  EXPECT_FALSE(options.against_given);
  EXPECT_EQ(options.duration, seconds(7));
  EXPECT_EQ(options.rounds, 2);
  EXPECT_EQ(options.fresh, "connection");
}

TEST(BenchOptions, WhatIsSaidCounts) {
  BenchArguments arguments;
  arguments.registry = "consul";
  arguments.fresh = "watch";
  arguments.against = "direct,pilotfish,./mine.yaml";
  arguments.duration = "250ms";
  arguments.instances = 12;
  arguments.rate = 500;
  arguments.rounds = 1;
  const auto options = understand(arguments, {});
  EXPECT_THAT(options.against, ElementsAre("direct", "./mine.yaml"));
  EXPECT_TRUE(options.against_given);
  EXPECT_EQ(options.duration, milliseconds(250));
  EXPECT_EQ(options.instances, 12U);
  EXPECT_EQ(options.rate, 500);
  arguments.against = "none";
  EXPECT_THAT(understand(arguments, {}).against, IsEmpty());
}

TEST(BenchOptions, ErrorsNameTheOption) {
  BenchArguments arguments;
  arguments.registry = "etcd";
  EXPECT_THAT(error_of(arguments), HasSubstr("--registry: \"etcd\" is none of embedded"));
  arguments = {};
  arguments.fresh = "watch";
  EXPECT_THAT(error_of(arguments), HasSubstr("--registry consul"));
  arguments = {};
  arguments.against = "haproxy,,nginx";
  EXPECT_THAT(error_of(arguments), HasSubstr("--against: an empty name"));
  arguments.against = "haproxy,haproxy";
  EXPECT_THAT(error_of(arguments), HasSubstr("haproxy is named twice"));
  arguments = {};
  arguments.duration = "5";
  EXPECT_THAT(error_of(arguments), HasSubstr("--duration: \"5\""));
  arguments.duration = "10ms";
  EXPECT_THAT(error_of(arguments), HasSubstr("between 200ms and 1h"));
  arguments = {};
  arguments.rounds = 0;
  EXPECT_THAT(error_of(arguments), HasSubstr("--rounds: between 1"));
  arguments = {};
  arguments.rate = 10;
  arguments.connections = 10;
  EXPECT_THAT(error_of(arguments), HasSubstr("--rate and --connections"));
}

TEST(Rounds, EveryContenderOncePerRoundAndCaseInAnOrderThatRotates) {
  const auto turns = plan_turns({"a", "b", "c"}, {"x", "y"}, 2);
  std::vector<std::string> seen;
  for (const auto& turn : turns) {
    seen.push_back(std::to_string(turn.round) + turn.test_case + turn.contender);
  }
  EXPECT_THAT(seen, ElementsAre("0xa", "0xb", "0xc", "0ya", "0yb", "0yc", "1xb", "1xc", "1xa",
                                "1yb", "1yc", "1ya", "2xc", "2xa", "2xb", "2yc", "2ya", "2yb"));
}

TEST(Progress, SaysWhoAndHowFar) {
  ProgressView view;
  view.scenario = "steady";
  view.turn = {"haproxy", "256 connections", 2};
  view.rounds = 5;
  view.elapsed = seconds(34);
  view.left = seconds(72);
  EXPECT_EQ(progress_text(view),
            "steady  haproxy  256 connections  round 2/5  elapsed 34s  about 1m12s left");
  view.turn = {"haproxy", "", 0};
  view.left = seconds(3725);
  EXPECT_EQ(progress_text(view), "steady  haproxy  warm-up  elapsed 34s  about 1h02m left");
}

}  // namespace
}  // namespace pilotfish::bench
