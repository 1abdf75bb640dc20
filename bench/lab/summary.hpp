#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/harness/results.hpp"
#include "bench/lab/script.hpp"

namespace pilotfish::bench {

struct StepResult {
  StepKind step;
  std::string text;
  bool as_expected = false;
  std::uint64_t failed = 0;  ///< requests, until the next step
};

struct SummaryInput {
  Duration elapsed{};
  double rate = 0;
  bool interrupted = false;
  std::vector<StepResult> steps;
  std::map<std::string, std::uint64_t> served;  ///< requests by version
  std::map<std::string, double> metrics;        ///< the sidecar's, at the end; may be empty
};

/// The closing words, without the last line. Pure.
[[nodiscard]] std::string render_summary(const SummaryInput& input, const LoadReport& report);
/// `N requests, F failed`.
[[nodiscard]] std::string verdict(const LoadReport& report);

}  // namespace pilotfish::bench
