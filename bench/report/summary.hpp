#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// What the tables, plots and comparisons share: who is in a result, in which order, and a figure
/// over the rounds. Pure.

inline constexpr const char* kDirect = "direct";  ///< the load without a proxy in between

/// In the order of `contenders`, then of first measurement; those without a measurement or a
/// timeline are left out.
[[nodiscard]] std::vector<std::string> names_of(const RunResult& result);
/// The cases in the order of first measurement (then of timelines).
[[nodiscard]] std::vector<std::string> cases_of(const RunResult& result);
/// Keys measured in a case, in the order in which they are shown.
[[nodiscard]] std::vector<std::string> figures_of(const RunResult& result,
                                                  const std::string& test_case);
/// Whom the ratios are about: `pilotfish`, else the first one that is not `direct`, else empty.
[[nodiscard]] std::string subject_of(const RunResult& result);

/// One value per round that has the figure (finite ones only), in the order of rounds.
struct RoundValue {
  int round = 0;
  double value = 0;
};
[[nodiscard]] std::vector<RoundValue> values_of(const RunResult& result,
                                                const std::string& contender,
                                                const std::string& test_case,
                                                const std::string& figure);

/// The middle one, or the mean of the two in the middle; 0 of nothing.
[[nodiscard]] double median_of(std::vector<double> values);

/// `contender`'s median over `other`'s; low and high are those of the ratios within rounds, since
/// rounds are interleaved. Empty where either has no figure or the other's is 0.
[[nodiscard]] std::optional<Summary> ratio_of(const RunResult& result, const std::string& contender,
                                              const std::string& other,
                                              const std::string& test_case,
                                              const std::string& figure);

/// The contender's median minus that of `direct`; empty where either has none.
[[nodiscard]] std::optional<double> added_over_direct(const RunResult& result,
                                                      const std::string& contender,
                                                      const std::string& test_case,
                                                      const std::string& figure);

/// Latency curve over the rounds: at each fraction that any round has, the median. Ascending.
[[nodiscard]] std::vector<std::pair<double, double>> latency_of(const RunResult& result,
                                                                const std::string& contender,
                                                                const std::string& test_case);

}  // namespace pilotfish::bench
