#include "bench/report/summary.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "bench/report/figures.hpp"

namespace pilotfish::bench {
namespace {

void add_once(std::vector<std::string>& list, const std::string& text) {
  if (std::ranges::find(list, text) == list.end()) list.push_back(text);
}

}  // namespace

std::vector<std::string> names_of(const RunResult& result) {
  std::vector<std::string> present;
  for (const auto& each : result.measurements) add_once(present, each.contender);
  for (const auto& each : result.timelines) add_once(present, each.contender);
  std::vector<std::string> names;
  for (const auto& each : result.contenders) {
    if (std::ranges::find(present, each.name) != present.end()) add_once(names, each.name);
  }
  for (const auto& each : present) add_once(names, each);
  return names;
}

std::vector<std::string> cases_of(const RunResult& result) {
  std::vector<std::string> cases;
  for (const auto& each : result.measurements) add_once(cases, each.test_case);
  for (const auto& each : result.timelines) add_once(cases, each.test_case);
  return cases;
}

std::vector<std::string> figures_of(const RunResult& result, const std::string& test_case) {
  std::set<std::pair<int, std::string>> keys;
  for (const auto& each : result.measurements) {
    if (each.test_case != test_case) continue;
    for (const auto& [key, value] : each.figures) keys.emplace(figure_info(key).rank, key);
  }
  std::vector<std::string> sorted;
  for (const auto& [rank, key] : keys) sorted.push_back(key);
  return sorted;
}

std::string subject_of(const RunResult& result) {
  const auto names = names_of(result);
  if (std::ranges::find(names, "pilotfish") != names.end()) return "pilotfish";
  const auto found = std::ranges::find_if(names, [](const auto& name) { return name != kDirect; });
  return found == names.end() ? "" : *found;
}

std::vector<RoundValue> values_of(const RunResult& result, const std::string& contender,
                                  const std::string& test_case, const std::string& figure) {
  std::vector<RoundValue> values;
  for (const auto& each : result.measurements) {
    if (each.contender != contender || each.test_case != test_case) continue;
    const auto found = each.figures.find(figure);
    if (found != each.figures.end() && std::isfinite(found->second)) {
      values.push_back({each.round, found->second});
    }
  }
  std::ranges::stable_sort(values, {}, &RoundValue::round);
  return values;
}

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

namespace {

std::optional<Summary> summary_of(const std::vector<double>& values) {
  if (values.empty()) return std::nullopt;
  const auto [low, high] = std::ranges::minmax(values);
  return Summary{median_of(values), low, high, static_cast<int>(values.size())};
}

}  // namespace

std::optional<Summary> summarise(const RunResult& result, const std::string& contender,
                                 const std::string& test_case, const std::string& figure) {
  std::vector<double> values;
  for (const auto& each : values_of(result, contender, test_case, figure)) {
    values.push_back(each.value);
  }
  return summary_of(values);
}

std::optional<Summary> ratio_of(const RunResult& result, const std::string& contender,
                                const std::string& other, const std::string& test_case,
                                const std::string& figure) {
  const auto mine = summarise(result, contender, test_case, figure);
  const auto theirs = summarise(result, other, test_case, figure);
  if (!mine || !theirs || theirs->median == 0) return std::nullopt;
  std::vector<double> pairs;
  const auto others = values_of(result, other, test_case, figure);
  for (const auto& each : values_of(result, contender, test_case, figure)) {
    const auto same = std::ranges::find(others, each.round, &RoundValue::round);
    if (same != others.end() && same->value != 0) pairs.push_back(each.value / same->value);
  }
  auto ratio = summary_of(pairs).value_or(Summary{});
  ratio.median = mine->median / theirs->median;
  // The ratio of the medians may lie outside of what any one round shows.
  ratio.low = pairs.empty() ? ratio.median : std::min(ratio.low, ratio.median);
  ratio.high = pairs.empty() ? ratio.median : std::max(ratio.high, ratio.median);
  return ratio;
}

std::optional<double> added_over_direct(const RunResult& result, const std::string& contender,
                                        const std::string& test_case, const std::string& figure) {
  const auto mine = summarise(result, contender, test_case, figure);
  const auto direct = summarise(result, kDirect, test_case, figure);
  if (!mine || !direct || contender == kDirect) return std::nullopt;
  return mine->median - direct->median;
}

std::vector<std::pair<double, double>> latency_of(const RunResult& result,
                                                  const std::string& contender,
                                                  const std::string& test_case) {
  std::map<double, std::vector<double>> at;
  for (const auto& each : result.measurements) {
    if (each.contender != contender || each.test_case != test_case) continue;
    for (const auto& [fraction, value] : each.latency) {
      if (std::isfinite(fraction) && std::isfinite(value)) at[fraction].push_back(value);
    }
  }
  std::vector<std::pair<double, double>> curve;
  double highest = 0;
  for (auto& [fraction, values] : at) {
    // Where rounds have different fractions, medians of different rounds must not go down again.
    highest = std::max(highest, median_of(std::move(values)));
    curve.emplace_back(fraction, highest);
  }
  return curve;
}

}  // namespace pilotfish::bench
