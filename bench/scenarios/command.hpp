#pragma once

#include <string>

#include "bench/scenarios/options.hpp"

namespace pilotfish::bench {

/// `pilotfish-lab bench SCENARIO ...`: plays it, prints the table, writes the result. Exit code: 0,
/// 1 where it was interrupted (what was measured until then is reported). Throws WrongUsage,
/// WrongPeer and Unavailable.
int run_bench(const BenchArguments& arguments, const std::vector<std::string>& command_line);

/// `pilotfish-lab bench list`: every scenario, explained.
[[nodiscard]] std::string list_text();
/// The scenarios, a line each, for --help. Pure.
[[nodiscard]] std::string scenario_lines();

}  // namespace pilotfish::bench
