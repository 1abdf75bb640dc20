#pragma once

#include <cstdint>
#include <string>

#include "bench/lab/observation.hpp"
#include "bench/lab/script.hpp"

namespace pilotfish::bench {

/// The demo's words. Pure.

/// `v4 fails`: the step's name in the summary.
[[nodiscard]] std::string step_name(StepKind step);
/// What is done and what should follow: `v4 fails its checks -> expect tier 1 (v3)`.
[[nodiscard]] std::string step_announcement(StepKind step, const DemoPlan& plan);
[[nodiscard]] Expectation step_expectation(StepKind step);

struct Outcome {
  std::string text;  ///< `v3 took over after 12ms, ...`
  bool as_expected = false;
};
/// What was seen. `retries`: tries repeated on another instance since the step, as the sidecar
/// counts them; negative where nobody knows.
[[nodiscard]] Outcome step_outcome(StepKind step, const DemoPlan& plan,
                                   const Observation& observation, std::int64_t retries);

}  // namespace pilotfish::bench
