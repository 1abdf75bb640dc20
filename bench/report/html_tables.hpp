#pragma once

#include <string>

#include "bench/report/plots.hpp"
#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// The tables of report.html: what the pictures show, in numbers. Pure.

/// Ratios of all figures and cases at one glance; empty where there is nobody to compare with.
[[nodiscard]] std::string glance_table(const RunResult& result);
/// Every figure of every contender in a case.
[[nodiscard]] std::string case_table(const RunResult& result, const std::string& test_case);
/// Latencies at the usual percentiles.
[[nodiscard]] std::string latency_table(const std::vector<Curve>& curves);
/// Per instance: requests, share, first and last one; failures.
[[nodiscard]] std::string timeline_table(const Timeline& timeline);

}  // namespace pilotfish::bench
