#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "bench/harness/histogram.hpp"
#include "core/clock.hpp"

namespace pilotfish::bench {

/// One request that ended.
struct Completion {
  TimePoint planned;
  TimePoint done;
  bool ok = false;
  std::string instance;  ///< X-Instance of the answer
};

struct LoadReport {
  std::uint64_t requests = 0;  ///< ended
  std::uint64_t failed = 0;
  LatencyHistogram latency;                     ///< of all, from the planned time
  std::map<std::string, std::uint64_t> errors;  ///< text -> how often; at most 16 texts
};

}  // namespace pilotfish::bench
