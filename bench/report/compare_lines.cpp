#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>

#include "bench/report/compare.hpp"
#include "bench/report/figures.hpp"

namespace pilotfish::bench {
namespace {

// With the blank before the first one, 98 columns.
constexpr std::size_t kTitle = 26;
constexpr std::size_t kWho = 12;
constexpr std::size_t kValue = 10;
constexpr std::size_t kPercent = 9;
constexpr std::size_t kAgainst = 18;

std::string percent(double before, double after) {
  if (before == 0) return after == 0 ? "0%" : "new";
  const double change = (after / before - 1) * 100;
  return fmt::format("{:+.{}f}%", change, std::abs(change) < 9.95 ? 1 : 0);
}

std::pair<std::string_view, Style> words(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter: return {"better", Style::kGood};
    case Verdict::kWorse: return {"worse", Style::kBad};
    case Verdict::kChanged: return {"changed", Style::kBold};
    case Verdict::kMachine: return {"the machine", Style::kDim};
    case Verdict::kTooFew: return {"too few", Style::kWarn};
    case Verdict::kSame: break;
  }
  return {"same", Style::kDim};
}

Line change_line(const Change& change) {
  const auto info = figure_info(change.figure);
  const auto scale =
      scale_for(info.unit, std::max(std::abs(change.before.median), std::abs(change.after.median)));
  auto against = std::string();
  if (!change.yardstick.empty()) {
    against = percent(change.ratio_before, change.ratio_after) + " of " + change.yardstick;
  }
  const auto [word, style] = words(change.verdict);
  return {{Style::kPlain, " " + fit_left(fit_left(info.title, kTitle - 1), kTitle)},
          {Style::kPlain, fit_left(fit_left(change.contender, kWho - 1), kWho)},
          {Style::kPlain, fit_right(value_text(change.before.median, scale), kValue)},
          {Style::kBold, fit_right(value_text(change.after.median, scale), kValue)},
          {Style::kPlain, fit_right(percent(change.before.median, change.after.median), kPercent)},
          {Style::kDim, "  " + fit_left(fit_left(against, kAgainst - 1), kAgainst)},
          {style, std::string(word)}};
}

void add_list(std::vector<Line>& lines, Style style, const std::string& title,
              const std::vector<std::string>& list) {
  for (const auto& each : list) lines.push_back({{style, title}, {Style::kPlain, each}});
}

void add_changes(std::vector<Line>& lines, const Comparison& comparison) {
  const std::string* current = nullptr;
  for (const auto& change : comparison.changes) {
    if (change.verdict == Verdict::kSame) continue;
    if (current == nullptr || *current != change.test_case) {
      if (current != nullptr) lines.emplace_back();
      lines.push_back({{Style::kBold, " " + (change.test_case.empty() ? std::string("results")
                                                                      : change.test_case)}});
      lines.push_back({{Style::kDim, " " + fit_left("FIGURE", kTitle) + fit_left("WHO", kWho) +
                                         fit_right("A", kValue) + fit_right("B", kValue) +
                                         fit_right("CHANGE", kPercent) + "  " +
                                         fit_left("AS A RATIO", kAgainst) + "VERDICT"}});
      current = &change.test_case;
    }
    lines.push_back(change_line(change));
  }
  if (current != nullptr) lines.emplace_back();
}

void add_counts(std::vector<Line>& lines, const Comparison& comparison) {
  const auto count = [&](Verdict verdict) {
    return std::ranges::count(comparison.changes, verdict, &Change::verdict);
  };
  if (comparison.changes.empty()) {
    lines.push_back({{Style::kWarn, " Nothing was measured in both runs."}});
    return;
  }
  lines.push_back(
      {{Style::kPlain,
        fmt::format(" {} figures compared: {} better, {} worse, {} changed, {} moved with the "
                    "machine, {} within noise.",
                    comparison.changes.size(), count(Verdict::kBetter), count(Verdict::kWorse),
                    count(Verdict::kChanged), count(Verdict::kMachine), count(Verdict::kSame))}});
  int fewest = comparison.changes.front().before.rounds;
  for (const auto& change : comparison.changes) {
    fewest = std::min({fewest, change.before.rounds, change.after.rounds});
  }
  if (least_chance(static_cast<std::size_t>(fewest), static_cast<std::size_t>(fewest)) > kChance) {
    lines.push_back(
        {{Style::kWarn, fmt::format(" Too few rounds to tell ({}): use --rounds 5 or more for "
                                    "both runs.",
                                    fewest)}});
  }
}

}  // namespace

std::vector<Line> comparison_lines(const Comparison& comparison, const RunResult& before,
                                   const RunResult& after) {
  std::vector<Line> lines;
  lines.push_back(
      {{Style::kAccent, " A "},
       {Style::kPlain, fmt::format("{}  {}  {}", before.scenario, before.date, before.version)}});
  lines.push_back(
      {{Style::kAccent, " B "},
       {Style::kPlain, fmt::format("{}  {}  {}", after.scenario, after.date, after.version)}});
  add_list(lines, Style::kWarn, " not the same: ", comparison.warnings);
  if (!comparison.warnings.empty()) {
    lines.push_back(
        {{Style::kWarn, " So the runs may not be comparable; ratios are the safer reading."}});
  }
  add_list(lines, Style::kDim, " differs: ", comparison.differences);
  add_list(lines, Style::kDim, " only in A: ", comparison.only_before);
  add_list(lines, Style::kDim, " only in B: ", comparison.only_after);
  lines.emplace_back();
  add_changes(lines, comparison);
  add_counts(lines, comparison);
  return lines;
}

}  // namespace pilotfish::bench
