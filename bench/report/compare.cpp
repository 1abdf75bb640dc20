#include "bench/report/compare.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/core.h>
#include <regex>

#include "bench/report/figures.hpp"
#include "bench/report/summary.hpp"

namespace pilotfish::bench {
namespace {

const ContenderInfo* info_of(const RunResult& result, const std::string& name) {
  const auto found = std::ranges::find(result.contenders, name, &ContenderInfo::name);
  return found == result.contenders.end() ? nullptr : &*found;
}

bool same_version(const RunResult& before, const RunResult& after, const std::string& name) {
  const auto* const a = info_of(before, name);
  const auto* const b = info_of(after, name);
  return a != nullptr && b != nullptr && a->version == b->version;
}

std::vector<double> plain(const std::vector<RoundValue>& values) {
  std::vector<double> result;
  for (const auto& each : values) result.push_back(each.value);
  return result;
}

/// The ratio within each round that has both.
std::vector<double> ratios(const RunResult& result, const Change& change) {
  std::vector<double> list;
  const auto others = values_of(result, change.yardstick, change.test_case, change.figure);
  for (const auto& each : values_of(result, change.contender, change.test_case, change.figure)) {
    const auto other = std::ranges::find(others, each.round, &RoundValue::round);
    if (other != others.end() && other->value != 0) list.push_back(each.value / other->value);
  }
  return list;
}

/// Somebody who is in both runs unchanged: a proxy rather than `direct`, which costs no CPU of its
/// own, and never what is being developed.
std::string yardstick_for(const RunResult& before, const RunResult& after, const Change& change) {
  auto names = names_of(before);
  std::ranges::stable_partition(names, [](const auto& name) { return name != kDirect; });
  for (const auto& name : names) {
    if (name == change.contender || name == subject_of(before)) continue;
    if (name != kDirect && !same_version(before, after, name)) continue;
    const auto a = summarise(before, name, change.test_case, change.figure);
    const auto b = summarise(after, name, change.test_case, change.figure);
    if (a && b && a->low > 0 && b->low > 0) return name;
  }
  return "";
}

bool apart(const Summary& a, const Summary& b) {
  return a.high < b.low || b.high < a.low;
}

Verdict direction(double before, double after, const FigureInfo& info) {
  if (info.better == Better::kNeither) return Verdict::kChanged;
  return (after < before) == (info.better == Better::kLower) ? Verdict::kBetter : Verdict::kWorse;
}

Verdict judge(const Change& change, const FigureInfo& info, bool enough) {
  const double difference = std::abs(change.after.median - change.before.median);
  const bool large = difference > 0 && difference >= info.least &&
                     difference >= info.noise * std::abs(change.before.median);
  if (!enough) {
    return large && apart(change.before, change.after) ? Verdict::kTooFew : Verdict::kSame;
  }
  const bool changed = large && change.chance <= kChance;
  if (change.yardstick.empty()) {
    return changed ? direction(change.before.median, change.after.median, info) : Verdict::kSame;
  }
  const double moved = change.ratio_after / change.ratio_before - 1;
  // What is small in itself stays small in a ratio.
  const double worth = std::max(
      info.noise, change.before.median == 0 ? 0 : info.least / std::abs(change.before.median));
  if (std::abs(moved) >= worth && change.ratio_chance <= kChance) {
    return direction(change.ratio_before, change.ratio_after, info);
  }
  return changed ? Verdict::kMachine : Verdict::kSame;
}

void compare_figure(Comparison& comparison, const RunResult& before, const RunResult& after,
                    Change change) {
  const auto a = plain(values_of(before, change.contender, change.test_case, change.figure));
  const auto b = plain(values_of(after, change.contender, change.test_case, change.figure));
  if (a.empty() || b.empty()) return;
  change.before = *summarise(before, change.contender, change.test_case, change.figure);
  change.after = *summarise(after, change.contender, change.test_case, change.figure);
  change.chance = rank_sum_chance(a, b);
  bool enough = least_chance(a.size(), b.size()) <= kChance;
  change.yardstick = yardstick_for(before, after, change);
  if (!change.yardstick.empty()) {
    const auto ratios_before = ratios(before, change);
    const auto ratios_after = ratios(after, change);
    if (ratios_before.empty() || ratios_after.empty() || median_of(ratios_before) == 0) {
      change.yardstick.clear();
    } else {
      enough = enough && least_chance(ratios_before.size(), ratios_after.size()) <= kChance;
      change.ratio_before = median_of(ratios_before);
      change.ratio_after = median_of(ratios_after);
      change.ratio_chance = rank_sum_chance(ratios_before, ratios_after);
    }
  }
  change.verdict = judge(change, figure_info(change.figure), enough);
  comparison.changes.push_back(std::move(change));
}

/// Without ports and temporary paths, which are others in every run.
std::string lasting(const std::string& configuration) {
  static const std::regex passing(R"(:\d{4,5}\b|/tmp/[^\s;"']*|(port_value|port): *\d+)");
  return std::regex_replace(configuration, passing, "*");
}

void differ(std::vector<std::string>& list, std::string_view what, const std::string& before,
            const std::string& after) {
  if (before == after) return;
  const auto shown = [](const std::string& text) { return text.empty() ? "(none)" : text; };
  list.push_back(fmt::format("{}: {} -> {}", what, shown(before), shown(after)));
}

void compare_machines(Comparison& comparison, const MachineInfo& before, const MachineInfo& after) {
  auto& list = comparison.warnings;
  differ(list, "processor", before.processor, after.processor);
  differ(list, "cores", std::to_string(before.cores), std::to_string(after.cores));
  differ(list, "kernel", before.kernel, after.kernel);
  differ(comparison.differences, "memory",
         value_text(static_cast<double>(before.memory_bytes), Unit::kBytes),
         value_text(static_cast<double>(after.memory_bytes), Unit::kBytes));
  for (const auto* machine : {&before, &after}) {
    if (machine->cores <= 0 || machine->load_before <= 0.5 * machine->cores) continue;
    list.push_back(fmt::format("the machine was busy before run {}: load {:.1f} on {} cores",
                               machine == &before ? "A" : "B", machine->load_before,
                               machine->cores));
  }
}

void compare_settings(Comparison& comparison, const RunResult& before, const RunResult& after) {
  differ(comparison.warnings, "scenario", before.scenario, after.scenario);
  auto options = before.options;
  for (const auto& [key, value] : after.options) options.try_emplace(key, "");
  for (const auto& [key, value] : options) {
    const auto found = after.options.find(key);
    // Where it was written has no influence; a seed and who else took part have little.
    auto& list = key == "out" || key == "seed" || key == "against" ? comparison.differences
                                                                   : comparison.warnings;
    differ(list, "option " + key, value, found == after.options.end() ? "" : found->second);
  }
  differ(comparison.differences, "pilotfish-lab", before.version, after.version);
  for (const auto& each : before.contenders) {
    const auto* const other = info_of(after, each.name);
    if (other == nullptr) continue;
    differ(comparison.differences, each.name, each.version, other->version);
    if (lasting(each.configuration) != lasting(other->configuration)) {
      comparison.warnings.push_back(each.name + ": its configuration is another one");
    }
  }
  for (const auto& note : before.notes) {
    if (std::ranges::find(after.notes, note) == after.notes.end()) {
      comparison.differences.push_back("only A notes: " + note);
    }
  }
  for (const auto& note : after.notes) {
    if (std::ranges::find(before.notes, note) == before.notes.end()) {
      comparison.differences.push_back("only B notes: " + note);
    }
  }
}

/// Who was measured in which case, as text.
std::vector<std::string> measured(const RunResult& result) {
  std::vector<std::string> list;
  for (const auto& each : result.measurements) {
    auto text = each.test_case.empty() ? each.contender : each.contender + ", " + each.test_case;
    if (std::ranges::find(list, text) == list.end()) list.push_back(std::move(text));
  }
  return list;
}

std::vector<std::string> without(std::vector<std::string> list,
                                 const std::vector<std::string>& others) {
  std::erase_if(list,
                [&](const auto& each) { return std::ranges::find(others, each) != others.end(); });
  return list;
}

}  // namespace

Comparison compare(const RunResult& before, const RunResult& after) {
  Comparison comparison;
  compare_machines(comparison, before.machine, after.machine);
  compare_settings(comparison, before, after);
  comparison.only_before = without(measured(before), measured(after));
  comparison.only_after = without(measured(after), measured(before));
  for (const auto& test_case : cases_of(before)) {
    for (const auto& figure : figures_of(before, test_case)) {
      for (const auto& name : names_of(before)) {
        Change change;
        change.contender = name;
        change.test_case = test_case;
        change.figure = figure;
        compare_figure(comparison, before, after, std::move(change));
      }
    }
  }
  return comparison;
}

}  // namespace pilotfish::bench
