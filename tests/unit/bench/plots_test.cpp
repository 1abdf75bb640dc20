#include "bench/report/plots.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/report/svg.hpp"
#include "tests/unit/bench/sample_result.hpp"

namespace pilotfish::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::vector<std::string> drawn(const TimelineView& view) {
  std::vector<std::string> names;
  for (const auto& layer : view.layers) names.push_back(layer.name);
  return names;
}

TEST(TimelineView, DrawsAllWhereTheyAreFew) {
  const auto view = view_of(sample_timeline("a", 3), 8, 400);
  EXPECT_THAT(drawn(view), ElementsAre("#1", "#2", "#3"));
  EXPECT_EQ(view.others.count, 0U);
  EXPECT_EQ(view.total_failed, 7U);
  EXPECT_EQ(view.bucket_ms, 50);
}

TEST(TimelineView, PrefersThoseThatEventsName) {
  auto timeline = sample_timeline("a", 300);
  timeline.events = {{100, "#123 leaves"}, {200, "killed: #7"}};
  const auto view = view_of(timeline, 4, 400);
  EXPECT_THAT(drawn(view), ElementsAre("#2", "#3", "#7", "#123"));
  EXPECT_EQ(view.others.count, 296U);
  ASSERT_EQ(view.others.low.size(), 100U);
  EXPECT_LE(view.others.low[50], view.others.middle[50]);
  EXPECT_LE(view.others.middle[50], view.others.high[50]);
}

TEST(TimelineView, JoinsBucketsWithoutLosingARequest) {
  Timeline timeline;
  timeline.requests = {{"#1", {1, 2, 3, 4, 5}}, {"failed", {0, 0, 1, 0, 2}}};
  const auto view = view_of(timeline, 8, 2);
  EXPECT_EQ(view.bucket_ms, 150);
  EXPECT_THAT(view.layers.at(0).per_second, ElementsAre(6 / 0.15, 9 / 0.15));
  EXPECT_THAT(view.failed, ElementsAre(1U, 2U));
}

TEST(TimelinePlot, ShowsFailuresAndEvents) {
  const auto timeline = sample_timeline("a", 3);
  const auto view = view_of(timeline, 8, 400);
  const auto wide = timeline_plot(timeline, view, Room::kWide);
  EXPECT_THAT(wide, HasSubstr("7 failed at 2.50s"));
  EXPECT_THAT(wide, HasSubstr(">#1 killed</text>"));
  EXPECT_THAT(timeline_plot(timeline, view, Room::kNarrow), Not(HasSubstr("killed</text>")));
}

TEST(TimelinePlot, StandsHundredsOfEventsAndNone) {
  auto timeline = sample_timeline("a", 3);
  for (int i = 0; i < 500; ++i) timeline.events.push_back({i * 10.0, "again"});
  const auto view = view_of(timeline, 8, 400);
  EXPECT_THAT(timeline_plot(timeline, view, Room::kWide), Not(HasSubstr("again</text>")));
  const Timeline empty;
  EXPECT_THAT(timeline_plot(empty, view_of(empty, 8, 400), Room::kWide), HasSubstr("</svg>"));
}

TEST(NaturalOrder, CountsAsPeopleDo) {
  EXPECT_TRUE(natural_less("#2", "#10"));
  EXPECT_FALSE(natural_less("#10", "#2"));
  EXPECT_TRUE(natural_less("127.0.0.1:9", "127.0.0.1:80"));
  EXPECT_TRUE(natural_less("a", "a1"));
  EXPECT_FALSE(natural_less("a1", "a1"));
  EXPECT_NE(natural_less("01", "1"), natural_less("1", "01"));
  EXPECT_TRUE(natural_less("v3 #1", "v4 #1"));
}

TEST(Ticks, AreRoundAndSpanTheValues) {
  EXPECT_THAT(linear_ticks(2700, 4), ElementsAre(0, 1000, 2000, 3000));
  EXPECT_THAT(linear_ticks(0, 4), ElementsAre(0, 1));
  EXPECT_THAT(log_ticks(120, 1600), ElementsAre(100, 200, 500, 1000, 2000));
  EXPECT_THAT(log_ticks(15, 150000), ElementsAre(10, 100, 1000, 10000, 100000, 1000000));
  EXPECT_THAT(log_ticks(100, 100), ElementsAre(100, 200));
}

TEST(Colours, BelongToNamesNotToPositions) {
  EXPECT_EQ(colour_of("pilotfish", 7), "c1");
  EXPECT_EQ(colour_of("direct", 1), "c0");
  EXPECT_EQ(colour_of("somebody", 0), "c5");
  EXPECT_NE(colour_of("somebody", 0), colour_of("else", 1));
}

TEST(LatencyPlot, IsEmptyWithoutPoints) {
  EXPECT_EQ(latency_plot({}, Room::kWide), "");
  EXPECT_EQ(latency_plot({{"a", "c1", {}}}, Room::kWide), "");
  EXPECT_THAT(latency_plot({{"a", "c1", {{0.5, 100}}}}, Room::kNarrow), HasSubstr("a: 50% 100us"));
}

TEST(FitText, CutsWithAnEllipsis) {
  EXPECT_EQ(fit_text("short", 100), "short");
  EXPECT_EQ(fit_text("much too long for this", 67), "much too \xe2\x80\xa6");
}

}  // namespace
}  // namespace pilotfish::bench
