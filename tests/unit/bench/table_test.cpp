#include "bench/lab/table.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

TableModel full_model() {
  TableModel model;
  model.elapsed = std::chrono::milliseconds(59900);
  model.total = std::chrono::seconds(60);
  model.traffic = {400, std::chrono::milliseconds(888), std::chrono::milliseconds(999)};
  model.requests = 24000;
  model.listen = "billing at 127.0.0.1:65535";
  model.serving = "tier 1 (v3) since 12.3s";
  model.reason = "v4 has 0 of 1 healthy instances that it needs to serve";
  for (int i = 1; i <= 7; ++i) model.steps.push_back(model.total * i / 8);
  for (const char* name : {"v4 #1", "v4 #2", "v4 #3", "v3 #1", "v3 #2"}) {
    model.rows.push_back({name, "127.0.0.1:65535", "critical", 1, model.traffic,
                          "ejected: five failures in a row", Style::kBad});
  }
  for (int i = 0; i < 40; ++i) model.log.push_back({{Style::kPlain, "line " + std::to_string(i)}});
  return model;
}

TEST(Table, FitsTheTerminal) {
  for (const auto& [width, height] : {std::pair{80, 23}, std::pair{100, 29}, std::pair{40, 8}}) {
    const auto lines = render_table(full_model(), static_cast<std::size_t>(width),
                                    static_cast<std::size_t>(height), true);
    EXPECT_LE(lines.size(), static_cast<std::size_t>(height));
    for (const auto& line : lines) {
      EXPECT_LE(columns(paint(line, static_cast<std::size_t>(width), false)),
                static_cast<std::size_t>(width));
    }
  }
}

TEST(Table, ShowsFailuresAndLatencyOnEightyColumns) {
  const auto lines = render_table(full_model(), 80, 23, false);
  EXPECT_THAT(paint(lines.at(0), 80, false), testing::HasSubstr("24000 requests, 0 failed"));
  EXPECT_THAT(paint(lines.at(0), 80, false), testing::HasSubstr("p99 999ms"));
}

TEST(Table, KeepsTheNewestLogLines) {
  const auto lines = render_table(full_model(), 80, 23, false);
  EXPECT_EQ(paint(lines.back(), 80, false), "line 39");
}

TEST(Table, EndsColoursWithinTheLine) {
  const Line line{{Style::kBad, "abcdef"}, {Style::kPlain, "ghi"}};
  EXPECT_EQ(paint(line, 4, true), "\x1b[1;31mabcd\x1b[0m");
  EXPECT_EQ(paint(line, 8, false), "abcdefgh");
}

TEST(Text, CutsAndPadsByColumnsNotBytes) {
  EXPECT_EQ(fit_left("━━━", 2), "━━");
  EXPECT_EQ(fit_left("━", 3), "━  ");
  EXPECT_EQ(fit_right("ab", 4), "  ab");
}

TEST(Text, DurationsHaveThreeDigitsAtMost) {
  using std::chrono::microseconds;
  EXPECT_EQ(short_duration(microseconds(350)), "350us");
  EXPECT_EQ(short_duration(microseconds(1250)), "1.2ms");
  EXPECT_EQ(short_duration(microseconds(12400)), "12ms");
  EXPECT_EQ(short_duration(microseconds(1034000)), "1.03s");
  EXPECT_EQ(short_duration(std::chrono::seconds(75)), "75s");
  EXPECT_EQ(short_duration({}), "0ms");
}

}  // namespace
}  // namespace pilotfish::bench
