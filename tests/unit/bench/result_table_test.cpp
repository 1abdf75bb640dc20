#include "bench/report/result_table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/bench/sample_result.hpp"

namespace pilotfish::bench {
namespace {

using testing::Contains;
using testing::ContainsRegex;
using testing::Each;
using testing::HasSubstr;
using testing::Not;
using testing::ResultOf;

std::vector<std::string> shown(const RunResult& result) {
  std::vector<std::string> lines;
  for (const auto& line : result_table(result)) lines.push_back(paint(line, SIZE_MAX, false));
  return lines;
}

TEST(ResultTable, ShowsMedianSpreadRatioAndWhatIsAdded) {
  const auto lines = shown(sample_result(five_contenders(), {"64 connections"}));
  EXPECT_THAT(lines.at(0), HasSubstr("steady, 64 connections  5 rounds"));
  EXPECT_THAT(lines, Contains(ContainsRegex("CPU per request, us +pilotfish +1[0-9.]+ +1[0-9.]+"
                                            "\\.\\.1[0-9.]+")));
  EXPECT_THAT(lines, Contains(ContainsRegex(" haproxy +1[0-9.]+ +[0-9.]+ +0\\.[89][0-9] ")));
  EXPECT_THAT(lines, Contains(ContainsRegex("envoy .* \\+1[5-9][0-9]$")));
}

TEST(ResultTable, FitsTheColumnsWhateverTheNames) {
  auto contenders = five_contenders();
  contenders.push_back({"an-unusually-long-name-of-somebody", 123456.7, 98765432});
  auto result =
      sample_result(contenders, {"64 connections", "a long case " + std::string(90, 'x')});
  for (auto& each : result.measurements) {
    each.figures["an_unheard_of_figure_with_a_name_that_never_ends_bytes_per_s"] = 1e12;
  }
  for (const auto& line : result_table(result)) {
    const auto text = paint(line, SIZE_MAX, false);
    if (text.find("xxxxxx") != std::string::npos) continue;
    EXPECT_LE(columns(text), kTableColumns) << text;
  }
}

TEST(ResultTable, SaysOnceWhatIsTheSameForAll) {
  const auto lines = shown(sample_result(five_contenders()));
  EXPECT_THAT(lines, Contains(ContainsRegex("failed requests +all +0$")));
}

TEST(ResultTable, HasNoRatioForOneContender) {
  const auto lines = shown(sample_result({{"pilotfish", 13}}));
  EXPECT_THAT(lines, Each(Not(HasSubstr(" / it"))));
  EXPECT_THAT(lines, Each(Not(HasSubstr("OVER DIRECT"))));
}

TEST(ResultTable, SaysWhoMissedRounds) {
  auto result = sample_result(five_contenders());
  result.measurements.pop_back();
  EXPECT_THAT(shown(result), Contains(HasSubstr("envoy: 4 of 5 rounds")));
}

TEST(ResultTable, SaysThatNothingWasMeasured) {
  RunResult result;
  result.scenario = "steady";
  result.notes = {"interrupted"};
  EXPECT_THAT(shown(result), Contains(HasSubstr("steady: nothing was measured")));
  EXPECT_THAT(shown(result), Contains(HasSubstr("note: interrupted")));
}

TEST(ResultTable, PraisesOnlyWhatIsBeyondNoise) {
  EXPECT_EQ(verdict_of({0.9, 0.88, 0.92, 5}, "cpu_per_request_us"), Style::kGood);
  EXPECT_EQ(verdict_of({1.1, 1.02, 1.2, 5}, "cpu_per_request_us"), Style::kBad);
  EXPECT_EQ(verdict_of({1.1, 1.02, 1.2, 5}, "rate_per_s"), Style::kGood);
  EXPECT_EQ(verdict_of({0.9, 0.88, 1.01, 5}, "cpu_per_request_us"), Style::kPlain);
  EXPECT_EQ(verdict_of({0.99, 0.985, 0.995, 5}, "cpu_per_request_us"), Style::kPlain);
  EXPECT_EQ(verdict_of({0.5, 0.5, 0.5, 5}, "requests"), Style::kPlain);
  EXPECT_EQ(verdict_of({0.5, 0.5, 0.5, 1}, "cpu_per_request_us"), Style::kPlain);
}

}  // namespace
}  // namespace pilotfish::bench
