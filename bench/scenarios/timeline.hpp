#pragma once

#include <string>
#include <vector>

#include "bench/harness/results.hpp"
#include "bench/report/result.hpp"
#include "core/clock.hpp"

namespace pilotfish::bench {

/// Something to mark on a timeline.
struct Mark {
  TimePoint at;
  std::string what;
};

/// The requests of each instance that ended in each bucket between `start` and `end`, failed ones
/// under `failed`, with the marks; contender, case and round are the caller's to fill in. Pure.
[[nodiscard]] Timeline draw_timeline(const std::vector<Completion>& completions,
                                     const std::vector<Mark>& marks, TimePoint start, TimePoint end,
                                     Duration bucket);

}  // namespace pilotfish::bench
