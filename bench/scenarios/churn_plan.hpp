#pragma once

#include <cstddef>
#include <vector>

#include "core/clock.hpp"
#include "core/random.hpp"

namespace pilotfish::bench {

struct ChurnOptions {
  std::size_t instances = 10;  ///< in all
  std::size_t at_first = 6;    ///< the first ones are registered as it begins
  std::size_t least = 3;       ///< never fewer than this are registered
  double rate = 10;            ///< comings and goings per second
  Duration length{};
  Duration dwell{};  ///< how long at least an instance stays in or out, so that it can be seen
};

struct ChurnStep {
  Duration at;  ///< since the start, ascending
  std::size_t instance = 0;
  bool comes = false;
};

/// Comings and goings at random times (a Poisson process), each of an instance that may, drawn
/// evenly; a time at which nobody may is left out. The same seed gives the same plan. Pure.
[[nodiscard]] std::vector<ChurnStep> plan_churn(const ChurnOptions& options, Random& random);

}  // namespace pilotfish::bench
