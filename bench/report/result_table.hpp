#pragma once

#include <string>
#include <vector>

#include "bench/lab/text.hpp"
#include "bench/report/result.hpp"
#include "bench/report/summary.hpp"

namespace pilotfish::bench {

inline constexpr std::size_t kTableColumns = 100;

/// How `ratio`, of the subject over another, is to be taken: good, bad, or neither because it is
/// within noise (the figure's own, or because rounds disagree on who is ahead, or there is one
/// only). Pure.
[[nodiscard]] Style verdict_of(const Summary& ratio, const std::string& figure);

/// The result for a terminal: per case and figure a line for each contender with the median,
/// low..high, the subject's ratio to it and what it adds over direct. No line takes more than
/// `kTableColumns` columns. Pure.
[[nodiscard]] std::vector<Line> result_table(const RunResult& result);

}  // namespace pilotfish::bench
