#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/lab/text.hpp"
#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// What changed between two runs, beyond noise. Pure.
///
/// Two tests have to agree, for every figure of every contender in every case that both runs have:
/// - the rounds: an exact two-sided rank-sum test (Mann and Whitney; ties share their ranks). It
///   says how often chance alone would part the rounds of the two runs at least that far;
///   `kChance` or less counts. With fewer than five rounds on each side even rounds that are fully
///   apart are more likely than that: too few to tell.
/// - the size: the medians differ by at least what the figure's entry in figures.cpp calls noise.
/// Rounds of one run share the machine's mood of that hour, which no test over them can see. So
/// where a contender of the same version is in both runs, the ratio to it within each round is
/// tested, and decides: both moved together means that the machine did.

inline constexpr double kChance = 0.01;

enum class Verdict : std::uint8_t {
  kSame,     ///< within noise
  kBetter,   ///< beyond noise
  kWorse,    ///< beyond noise
  kChanged,  ///< beyond noise, and neither way is better
  kMachine,  ///< changed as much as the yardstick did
  kTooFew,   ///< apart, but there are too few rounds to tell
};

struct Change {
  std::string contender, test_case, figure;
  Summary before, after;
  double chance = 1;        ///< of the medians being that far apart by chance alone
  std::string yardstick;    ///< who the ratio is to; empty where nobody can be
  double ratio_before = 0;  ///< medians over rounds of the ratio to the yardstick
  double ratio_after = 0;
  double ratio_chance = 1;
  Verdict verdict = Verdict::kSame;
};

struct Comparison {
  std::vector<std::string> warnings;     ///< why the runs may not be comparable
  std::vector<std::string> differences;  ///< what is otherwise different about them
  std::vector<Change> changes;           ///< everything that was compared, in the tables' order
  std::vector<std::string> only_before, only_after;  ///< `haproxy, 64 connections`
};

[[nodiscard]] Comparison compare(const RunResult& before, const RunResult& after);

/// The chance that two samples of the same thing have rank sums at least that far apart; 1 where
/// one is empty.
[[nodiscard]] double rank_sum_chance(const std::vector<double>& a, const std::vector<double>& b);
/// The smallest that rank_sum_chance() can be for so many values.
[[nodiscard]] double least_chance(std::size_t a, std::size_t b);

/// For the terminal: what differs, what changed, and how much did not. `a` and `b` name the runs.
[[nodiscard]] std::vector<Line> comparison_lines(const Comparison& comparison,
                                                 const RunResult& before, const RunResult& after);

}  // namespace pilotfish::bench
