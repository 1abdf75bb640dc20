#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "proxy/proxy.hpp"

namespace pilotfish::app {

/// One upstream over all workers.
struct MergedUpstream {
  /// `tier`: the one most workers serve (the worse where two are level), and that one's reason.
  /// Ages are the largest, counters sums, an instance's state the worst, answers the newest.
  proxy::UpstreamStatus status;
  std::uint32_t workers = 0;          ///< that answered
  std::uint32_t workers_serving = 0;  ///< of them, those where a tier serves
  std::string not_serving_reason;     ///< of a worker where none does; empty where all serve
};

struct MergedStatus {
  std::vector<MergedUpstream> upstreams;  ///< in the configuration's order
  std::uint32_t workers = 0;
  std::uint32_t workers_answered = 0;
};

/// What each worker said (nullopt: it did not answer in time) as one picture. Pure.
[[nodiscard]] MergedStatus merge_status(
    const std::vector<std::optional<std::vector<proxy::UpstreamStatus>>>& workers);

/// /ready: true where every required upstream has an instance on every worker; else why not, one
/// line per upstream. Pure.
struct Readiness {
  bool ready = false;
  std::string text;
};
[[nodiscard]] Readiness readiness(const MergedStatus& status);

}  // namespace pilotfish::app
