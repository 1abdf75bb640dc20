#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "bench/report/json.hpp"
#include "tests/unit/bench/sample_result.hpp"

namespace pilotfish::bench {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

RunResult full() {
  auto result = sample_result(five_contenders(), {"64 connections", "256 connections"}, 3);
  result.timelines.push_back(sample_timeline("pilotfish", 4));
  result.notes = {"envoy is \"not\" there: \\ \n\t\xc3\xa9"};
  result.seed = std::numeric_limits<std::uint64_t>::max();
  result.machine.memory_bytes = 1ULL << 63U;
  return result;
}

/// Nine digits are kept.
void expect_near(const Measurement& read, const Measurement& written) {
  ASSERT_EQ(read.figures.size(), written.figures.size());
  for (const auto& [key, value] : written.figures) {
    EXPECT_NEAR(read.figures.at(key), value, value * 1e-8) << key;
  }
  ASSERT_EQ(read.latency.size(), written.latency.size());
  for (std::size_t i = 0; i < read.latency.size(); ++i) {
    EXPECT_NEAR(read.latency[i].first, written.latency[i].first, 1e-8);
    EXPECT_NEAR(read.latency[i].second, written.latency[i].second,
                written.latency[i].second * 1e-8);
  }
}

TEST(ResultJson, SurvivesTheRoundTrip) {
  const auto written = full();
  const auto read = from_json(to_json(written));
  ASSERT_EQ(read.error, "");
  const auto& back = *read.result;
  EXPECT_EQ(back.scenario, written.scenario);
  EXPECT_EQ(back.date, written.date);
  EXPECT_EQ(back.version, written.version);
  EXPECT_EQ(back.arguments, written.arguments);
  EXPECT_EQ(back.options, written.options);
  EXPECT_EQ(back.seed, written.seed);
  EXPECT_EQ(back.notes, written.notes);
  EXPECT_EQ(back.machine.kernel, written.machine.kernel);
  EXPECT_EQ(back.machine.processor, written.machine.processor);
  EXPECT_EQ(back.machine.cores, 2);
  EXPECT_EQ(back.machine.memory_bytes, written.machine.memory_bytes);
  EXPECT_EQ(back.machine.load_before, 0.42);
  ASSERT_EQ(back.contenders.size(), 5U);
  EXPECT_EQ(back.contenders[2].name, "haproxy");
  EXPECT_EQ(back.contenders[2].version, written.contenders[2].version);
  EXPECT_EQ(back.contenders[2].command, written.contenders[2].command);
  EXPECT_EQ(back.contenders[2].configuration, written.contenders[2].configuration);
  ASSERT_EQ(back.measurements.size(), written.measurements.size());
  for (std::size_t i = 0; i < written.measurements.size(); ++i) {
    EXPECT_EQ(back.measurements[i].contender, written.measurements[i].contender);
    EXPECT_EQ(back.measurements[i].test_case, written.measurements[i].test_case);
    EXPECT_EQ(back.measurements[i].round, written.measurements[i].round);
    expect_near(back.measurements[i], written.measurements[i]);
  }
  ASSERT_EQ(back.timelines.size(), 1U);
  EXPECT_EQ(back.timelines[0].requests, written.timelines[0].requests);
  EXPECT_EQ(back.timelines[0].bucket_ms, 50);
  ASSERT_EQ(back.timelines[0].events.size(), 4U);
  EXPECT_EQ(back.timelines[0].events[2].what, "#1 killed");
  EXPECT_EQ(back.timelines[0].events[2].at_ms, written.timelines[0].events[2].at_ms);
}

TEST(ResultJson, IsReadableByPeople) {
  const auto text = to_json(full());
  EXPECT_THAT(text, HasSubstr("\n \"scenario\": \"steady\",\n"));
  EXPECT_THAT(text, HasSubstr("\"load_before\": 0.42"));
  EXPECT_THAT(text, HasSubstr("\"latency\": [[0, "));
  EXPECT_THAT(text, HasSubstr("\"bucket_ms\": 50,"));
}

TEST(ResultJson, LeavesOutWhatIsNoNumber) {
  auto result = sample_result({{"pilotfish", 13}}, {""}, 1);
  result.measurements[0].figures["p50_us"] = std::numeric_limits<double>::quiet_NaN();
  result.measurements[0].figures["p99_us"] = std::numeric_limits<double>::infinity();
  const auto read = from_json(to_json(result));
  ASSERT_EQ(read.error, "");
  EXPECT_EQ(read.result->measurements[0].figures.count("p50_us"), 0U);
  EXPECT_EQ(read.result->measurements[0].figures.count("p99_us"), 0U);
  EXPECT_EQ(read.result->measurements[0].figures.count("rate_per_s"), 1U);
}

TEST(ResultJson, StaysReadableWhateverProgramsPrint) {
  auto result = sample_result({{"pilotfish", 13}}, {""}, 1);
  result.contenders[0].configuration = "\xff\xfe \x01";
  const auto read = from_json(to_json(result));
  ASSERT_EQ(read.error, "");
  EXPECT_EQ(read.result->contenders[0].configuration, "\xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd");
}

TEST(ResultJson, SkipsWhatItDoesNotKnow) {
  const auto read = from_json(
      R"({"format": 1, "scenario": "s", "weather": {"rain": [1]}, "contenders": [],
          "measurements": [{"contender": "a", "figures": {"x_us": 1}, "colour": null}]})");
  ASSERT_EQ(read.error, "");
  EXPECT_EQ(read.result->measurements[0].figures.at("x_us"), 1);
}

std::string error_of(std::string text) {
  const auto read = from_json(text);
  EXPECT_FALSE(read.result.has_value()) << text;
  return read.error;
}

std::string with(const std::string& rest) {
  return R"({"format": 1, "scenario": "s", "contenders": [], )" + rest + "}";
}

TEST(ResultJson, SaysInWhichLineTheJsonIsBroken) {
  EXPECT_THAT(error_of("{\"format\": 1,\n  \"scenario\": oops}"), StartsWith("line 2, column 1"));
  EXPECT_THAT(error_of("{\"format\": 1} {}"), StartsWith("line 1, column 15: more follows"));
  EXPECT_EQ(error_of(" \n"), "it is empty");
  EXPECT_THAT(error_of(to_json(full()).substr(0, 5000)), HasSubstr("it ends in the middle"));
}

TEST(ResultJson, SaysWhichMemberIsWrong) {
  EXPECT_EQ(error_of("[]"), "the file: expected an object, found a list");
  EXPECT_THAT(error_of("{}"), HasSubstr("no result of pilotfish-lab"));
  EXPECT_THAT(error_of(R"({"format": 2})"), HasSubstr("reads up to 1"));
  EXPECT_EQ(error_of(R"({"format": 1, "contenders": []})"), "scenario: is missing");
  EXPECT_EQ(error_of(with(R"("measurements": [{"contender": "a"}, {"round": 1}])")),
            "measurements[1].contender: is missing");
  EXPECT_EQ(error_of(with(R"("measurements": [{"contender": "a", "figures": {"p99_us": "1"}}])")),
            "measurements[0].figures.p99_us: expected a number, found a text");
  EXPECT_EQ(error_of(with(R"("measurements": [{"contender": "a", "latency": [[1]]}])")),
            "measurements[0].latency[0]: expected a fraction and microseconds");
  EXPECT_THAT(error_of(with(R"("measurements": [], "seed": -1)")),
              StartsWith("seed: expected a whole number from 0"));
  EXPECT_THAT(error_of(with(R"("measurements": [], "timelines": [{"contender": "a",
                               "requests": {"#1": [1, 2], "#2": [1]}}])")),
              StartsWith("timelines[0].requests.#2: 1 buckets, where the others have 2"));
  EXPECT_THAT(error_of(with(R"("measurements": [], "timelines": [{"contender": "a",
                               "bucket_ms": 0}])")),
              StartsWith("timelines[0].bucket_ms: expected more than 0"));
  EXPECT_THAT(error_of(with(R"("measurements": [], "timelines": [{"contender": "a",
                               "requests": {"#1": [1, -2]}}])")),
              StartsWith("timelines[0].requests.#1[1]: expected a whole number"));
}

TEST(ResultJson, RefusesEndlessNesting) {
  EXPECT_THAT(error_of(with("\"x\": " + std::string(100, '[') + std::string(100, ']'))),
              StartsWith("line 1"));
}

}  // namespace
}  // namespace pilotfish::bench
