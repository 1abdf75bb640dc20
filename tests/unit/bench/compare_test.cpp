#include "bench/report/compare.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/bench/sample_result.hpp"

namespace pilotfish::bench {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

RunResult run_of(double pilotfish_us, double haproxy_us, int rounds = 5) {
  return sample_result({{"pilotfish", pilotfish_us}, {"haproxy", haproxy_us}}, {""}, rounds);
}

Change find(const Comparison& comparison, const std::string& who, const std::string& figure) {
  for (const auto& change : comparison.changes) {
    if (change.contender == who && change.figure == figure) return change;
  }
  ADD_FAILURE() << who << ' ' << figure << " was not compared";
  return {};
}

Verdict cpu_verdict(const RunResult& a, const RunResult& b, const std::string& who = "pilotfish") {
  return find(compare(a, b), who, "cpu_per_request_us").verdict;
}

TEST(RankSum, KnowsTheExactChance) {
  const std::vector<double> low{1, 2, 3, 4, 5};
  const std::vector<double> high{6, 7, 8, 9, 10};
  EXPECT_DOUBLE_EQ(rank_sum_chance(low, high), 2.0 / 252);
  EXPECT_DOUBLE_EQ(rank_sum_chance(high, low), 2.0 / 252);
  EXPECT_DOUBLE_EQ(least_chance(5, 5), 2.0 / 252);
  EXPECT_DOUBLE_EQ(rank_sum_chance({1, 2, 3}, {4, 5, 6}), 0.1);
  EXPECT_DOUBLE_EQ(rank_sum_chance({1, 4}, {2, 3}), 1);
  // 1 2 4 | 3 5 6: of the 20 sums of three ranks, 7 (twice over) lie at least as far from 10.5.
  EXPECT_DOUBLE_EQ(rank_sum_chance({1, 2, 4}, {3, 5, 6}), 0.2);
}

TEST(RankSum, SharesRanksAmongTies) {
  EXPECT_DOUBLE_EQ(rank_sum_chance({1, 1, 1}, {1, 1, 1}), 1);
  EXPECT_DOUBLE_EQ(rank_sum_chance({0, 0, 0, 0, 0}, {0, 0, 0, 0, 7}), 1);
  EXPECT_DOUBLE_EQ(rank_sum_chance({0, 0, 0}, {1, 1, 1}), 0.1);
  EXPECT_EQ(rank_sum_chance({}, {1}), 1);
}

TEST(Compare, SaysNothingOfTheSameRun) {
  const auto run = sample_result(five_contenders(), {"a", "b"});
  const auto comparison = compare(run, run);
  EXPECT_THAT(comparison.warnings, IsEmpty());
  EXPECT_THAT(comparison.differences, IsEmpty());
  for (const auto& change : comparison.changes) EXPECT_EQ(change.verdict, Verdict::kSame);
}

TEST(Compare, FindsWhatGotBetterOrWorse) {
  EXPECT_EQ(cpu_verdict(run_of(13, 15), run_of(11, 15)), Verdict::kBetter);
  EXPECT_EQ(cpu_verdict(run_of(13, 15), run_of(15, 15)), Verdict::kWorse);
  EXPECT_EQ(cpu_verdict(run_of(13, 15), run_of(13.1, 15)), Verdict::kSame);
}

TEST(Compare, LooksThroughTheMoodOfTheMachine) {
  EXPECT_EQ(cpu_verdict(run_of(13, 15), run_of(13 * 1.3, 15 * 1.3)), Verdict::kMachine);
  EXPECT_EQ(cpu_verdict(run_of(13, 15), run_of(13, 15 * 1.3)), Verdict::kBetter);
}

TEST(Compare, NeedsAnUnchangedYardstick) {
  auto after = run_of(13 * 1.3, 15 * 1.3);
  after.contenders[1].version = "haproxy 3";
  const auto comparison = compare(run_of(13, 15), after);
  EXPECT_EQ(find(comparison, "pilotfish", "cpu_per_request_us").verdict, Verdict::kWorse);
  EXPECT_EQ(find(comparison, "pilotfish", "cpu_per_request_us").yardstick, "");
  EXPECT_THAT(comparison.differences, ElementsAre("haproxy: haproxy 1.2.3 -> haproxy 3"));
}

TEST(Compare, IgnoresWhatIsApartButTiny) {
  auto after = run_of(13, 15);
  for (auto& each : after.measurements) {
    if (each.contender == "pilotfish") each.figures["cpu_per_request_us"] *= 1.015;
  }
  EXPECT_EQ(cpu_verdict(run_of(13, 15), after), Verdict::kSame);
}

TEST(Compare, SaysWhenRoundsAreTooFew) {
  const auto before = run_of(13, 15, 3);
  const auto after = run_of(10, 15, 3);
  const auto comparison = compare(before, after);
  EXPECT_EQ(find(comparison, "pilotfish", "cpu_per_request_us").verdict, Verdict::kTooFew);
  std::string text;
  for (const auto& line : comparison_lines(comparison, before, after)) {
    text += paint(line, SIZE_MAX, false) + "\n";
  }
  EXPECT_THAT(text, HasSubstr("Too few rounds to tell (3)"));
}

TEST(Compare, SeesFailuresAppear) {
  auto after = run_of(13, 15);
  int failed = 1;
  for (auto& each : after.measurements) {
    if (each.contender == "pilotfish") each.figures["failed"] = failed++;
  }
  EXPECT_EQ(find(compare(run_of(13, 15), after), "pilotfish", "failed").verdict, Verdict::kWorse);
}

TEST(Compare, WarnsWhereRunsAreNotComparable) {
  auto after = run_of(13, 15);
  after.scenario = "tcp";
  after.machine.kernel = "Linux 7";
  after.machine.load_before = 3.5;
  after.options["duration"] = "1s";
  after.options["new"] = "1";
  after.contenders[1].configuration += "nbthread 4\n";
  const auto warnings = compare(run_of(13, 15), after).warnings;
  EXPECT_THAT(warnings,
              ElementsAre("kernel: Linux 6.1.0 -> Linux 7",
                          "the machine was busy before run B: load 3.5 on 2 cores",
                          "scenario: steady -> tcp", "option duration: 3s -> 1s",
                          "option new: (none) -> 1", "haproxy: its configuration is another one"));
}

TEST(Compare, TakesOtherPortsAndFoldersForTheSameConfiguration) {
  auto before = run_of(13, 15);
  auto after = before;
  before.contenders[0].configuration = "bind 127.0.0.1:40001\nlog /tmp/a1b2/log\n";
  after.contenders[0].configuration = "bind 127.0.0.1:51234\nlog /tmp/c3d4/log\n";
  EXPECT_THAT(compare(before, after).warnings, IsEmpty());
}

TEST(Compare, NamesWhatOnlyOneRunHas) {
  const auto before = sample_result({{"pilotfish", 13}, {"nginx", 15}}, {"a"});
  const auto after = sample_result({{"pilotfish", 13}, {"haproxy", 15}}, {"a"});
  const auto comparison = compare(before, after);
  EXPECT_THAT(comparison.only_before, ElementsAre("nginx, a"));
  EXPECT_THAT(comparison.only_after, ElementsAre("haproxy, a"));
}

TEST(Compare, PrintsOnlyWhatChangedWithinTheColumns) {
  const auto before = run_of(13, 15);
  const auto after = run_of(11, 15);
  std::vector<std::string> lines;
  for (const auto& line : comparison_lines(compare(before, after), before, after)) {
    lines.push_back(paint(line, SIZE_MAX, false));
    EXPECT_LE(columns(lines.back()), 100U) << lines.back();
  }
  EXPECT_THAT(lines, Contains(testing::ContainsRegex(
                         "CPU per request +pilotfish +1[0-9.]+us +1[0-9.]+us +-1[0-9.]+% +-1[0-9.]+"
                         "% of haproxy +better")));
  EXPECT_THAT(lines, Contains(StartsWith(" 10 figures compared: 1 better, 0 worse")));
}

TEST(Compare, SaysWhereNothingIsThereToCompare) {
  const auto lines = comparison_lines(compare({}, {}), {}, {});
  EXPECT_THAT(paint(lines.back(), SIZE_MAX, false), HasSubstr("Nothing was measured in both"));
}

}  // namespace
}  // namespace pilotfish::bench
