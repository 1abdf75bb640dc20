#pragma once

#include <cstddef>

#include "core/clock.hpp"

namespace pilotfish::bench {

struct SteadyOptions {
  std::size_t instances = 3;
  double rate = 2000;            ///< requests per second
  std::size_t connections = 64;  ///< at most
  Duration duration = std::chrono::seconds(5);
};

/// Scenario `steady`: the same keep-alive load straight to the instances and through the sidecar;
/// a table of latencies, and the sidecar's CPU time per request. Exit code: 0, 1 where a request
/// failed. Throws as run_demo() does.
int run_steady(const SteadyOptions& options);

}  // namespace pilotfish::bench
