#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/report/figures.hpp"
#include "bench/report/summary.hpp"
#include "tests/unit/bench/sample_result.hpp"

namespace pilotfish::bench {
namespace {

using testing::DoubleEq;
using testing::ElementsAre;
using testing::Pair;

RunResult of(const std::vector<Measurement>& measurements) {
  RunResult result;
  result.measurements = measurements;
  return result;
}

TEST(Summarise, TakesTheMedianAndTheExtremes) {
  const auto result = of({{"a", "", 1, {{"x_us", 5}}, {}},
                          {"a", "", 2, {{"x_us", 1}}, {}},
                          {"a", "", 3, {{"x_us", 3}}, {}},
                          {"a", "other", 3, {{"x_us", 100}}, {}},
                          {"b", "", 3, {{"x_us", 200}}, {}},
                          {"a", "", 4, {{"y_us", 300}}, {}}});
  const auto found = summarise(result, "a", "", "x_us");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->median, 3);
  EXPECT_EQ(found->low, 1);
  EXPECT_EQ(found->high, 5);
  EXPECT_EQ(found->rounds, 3);
  EXPECT_FALSE(summarise(result, "b", "", "y_us"));
  EXPECT_EQ(summarise(result, "a", "", "y_us")->median, 300);
}

TEST(Summarise, TakesTheMeanOfTheTwoInTheMiddle) {
  EXPECT_EQ(median_of({4, 1, 2, 100}), 3);
  EXPECT_EQ(median_of({7}), 7);
  EXPECT_EQ(median_of({}), 0);
}

TEST(Ratio, IsOfMediansWithTheSpreadOfPairs) {
  const auto result = of({{"a", "", 1, {{"x_us", 9}}, {}},
                          {"a", "", 2, {{"x_us", 18}}, {}},
                          {"a", "", 3, {{"x_us", 8}}, {}},
                          {"b", "", 1, {{"x_us", 10}}, {}},
                          {"b", "", 2, {{"x_us", 20}}, {}},
                          {"b", "", 3, {{"x_us", 10}}, {}}});
  const auto ratio = ratio_of(result, "a", "b", "", "x_us");
  ASSERT_TRUE(ratio);
  EXPECT_THAT(ratio->median, DoubleEq(0.9));
  EXPECT_THAT(ratio->low, DoubleEq(0.8));
  EXPECT_THAT(ratio->high, DoubleEq(0.9));
  EXPECT_EQ(ratio->rounds, 3);
}

TEST(Ratio, IsNotThereOverZeroOrNothing) {
  const auto result = of({{"a", "", 1, {{"x", 9}}, {}}, {"b", "", 1, {{"x", 0}}, {}}});
  EXPECT_FALSE(ratio_of(result, "a", "b", "", "x"));
  EXPECT_FALSE(ratio_of(result, "a", "c", "", "x"));
  EXPECT_TRUE(ratio_of(result, "b", "a", "", "x"));
}

TEST(ResultSummary, KnowsWhoAndWhatIsThereInOrder) {
  auto result = sample_result(five_contenders(), {"b", "a"}, 1);
  result.contenders.push_back({"absent", "", "", ""});
  result.timelines.push_back(sample_timeline("late", 2));
  EXPECT_THAT(names_of(result),
              ElementsAre("direct", "pilotfish", "haproxy", "nginx", "envoy", "late"));
  EXPECT_THAT(cases_of(result), ElementsAre("b", "a", ""));
  result.measurements[0].figures["aaa"] = 1;
  EXPECT_THAT(figures_of(result, "b"),
              ElementsAre("cpu_per_request_us", "rate_per_s", "p50_us", "p99_us", "failed", "aaa"));
  EXPECT_EQ(subject_of(result), "pilotfish");
  EXPECT_EQ(subject_of(sample_result({{"direct"}, {"mine"}})), "mine");
  EXPECT_EQ(subject_of(RunResult()), "");
}

TEST(ResultSummary, SaysWhatIsAddedOverDirect) {
  const auto result =
      of({{"direct", "", 1, {{"p50_us", 100}}, {}}, {"a", "", 1, {{"p50_us", 130}}, {}}});
  EXPECT_EQ(added_over_direct(result, "a", "", "p50_us"), 30);
  EXPECT_FALSE(added_over_direct(result, "direct", "", "p50_us"));
}

TEST(ResultSummary, MergesLatencyCurvesThatNeverGoDown) {
  const auto result =
      of({{"a", "", 1, {}, {{0.5, 10}, {0.9, 50}}}, {"a", "", 2, {}, {{0.5, 20}, {0.95, 30}}}});
  EXPECT_THAT(latency_of(result, "a", ""),
              ElementsAre(Pair(0.5, 15), Pair(0.9, 50), Pair(0.95, 50)));
}

TEST(Figures, AreKnownByKeyOrByEnding) {
  EXPECT_EQ(figure_info("p99_us").title, "latency p99");
  EXPECT_TRUE(figure_info("p99_us").adds);
  EXPECT_LT(figure_info("cpu_per_request_us").rank, figure_info("p99_us").rank);
  const auto unknown = figure_info("first_packet_ms");
  EXPECT_EQ(unknown.title, "first packet");
  EXPECT_EQ(unknown.unit, Unit::kMilliseconds);
  EXPECT_EQ(unknown.better, Better::kLower);
  EXPECT_EQ(figure_info("tunnels_per_s").better, Better::kHigher);
  EXPECT_EQ(figure_info("some_bytes_per_s").unit, Unit::kBytesPerSecond);
  EXPECT_EQ(figure_info("_us").title, " us");
  EXPECT_EQ(figure_info("").unit, Unit::kCount);
}

TEST(Figures, OfAChangeAreReadFromTheirParts) {
  const auto first = figure_info("change_to_first_request_p99_ms");
  EXPECT_EQ(first.title, "change to first request p99");
  EXPECT_EQ(first.better, Better::kLower);
  EXPECT_EQ(figure_info("death_to_snapshot_ms").title, "death to snapshot");
  EXPECT_EQ(figure_info("change_to_answer_worst_ms").better, Better::kNeither);
  EXPECT_LT(figure_info("change_to_first_request_ms").rank, first.rank);
  EXPECT_LT(figure_info("change_to_snapshot_worst_ms").rank, first.rank);
  EXPECT_EQ(figure_info("back_to_front_ms").title, "back to front");
  EXPECT_EQ(figure_info("back_to_front_ms").rank, FigureInfo().rank);
}

TEST(Figures, AreShownWithThreeDigitsAndAShortUnit) {
  EXPECT_EQ(value_text(13.149, Unit::kMicroseconds), "13.1us");
  EXPECT_EQ(value_text(0.0421, Unit::kMicroseconds), "0.042us");
  EXPECT_EQ(value_text(9.9999, Unit::kMicroseconds), "10.0us");
  EXPECT_EQ(value_text(1312.4, Unit::kMicroseconds), "1.31ms");
  EXPECT_EQ(value_text(25000, Unit::kMicroseconds), "25.0ms");
  EXPECT_EQ(value_text(0.25, Unit::kMilliseconds), "250us");
  EXPECT_EQ(value_text(25000, Unit::kMilliseconds), "25.0s");
  EXPECT_EQ(value_text(12.0 * 1024 * 1024, Unit::kBytes), "12.0MiB");
  EXPECT_EQ(value_text(1536, Unit::kBytes), "1.50KiB");
  EXPECT_EQ(value_text(512, Unit::kBytes), "512B");
  EXPECT_EQ(value_text(3.0 * 1024 * 1024, Unit::kBytesPerSecond), "3.00MiB/s");
  EXPECT_EQ(value_text(12500, Unit::kPerSecond), "12500/s");
  EXPECT_EQ(value_text(7, Unit::kCount), "7");
  EXPECT_EQ(value_text(0, Unit::kMicroseconds), "0us");
  EXPECT_EQ(value_text(-40, Unit::kMicroseconds), "-40.0us");
  EXPECT_EQ(ratio_text(0.894), "0.89");
  EXPECT_EQ(ratio_text(12.34), "12.3");
  EXPECT_EQ(ratio_text(1234), "1234");
}

}  // namespace
}  // namespace pilotfish::bench
