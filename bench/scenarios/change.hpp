#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::bench {

/// Instances of a benchmark all live on one address: their port says who they are.
using PortSet = std::set<std::uint16_t>;

/// A request that reached an instance.
struct Arrival {
  TimePoint at;
  std::uint16_t port = 0;
};

/// Something that a scenario did to the world, and when it showed where.
struct RegistryChange {
  std::string label = "change";       ///< what its figures begin with
  PortSet listed;                     ///< the registry's answer is to have them from now on
  PortSet unlisted;                   ///< and these no more
  PortSet joining;                    ///< are to get requests from now on
  PortSet leaving;                    ///< and these no more
  TimePoint changed;                  ///< the registry was about to be told
  std::optional<TimePoint> accepted;  ///< it had said yes
  std::optional<TimePoint> answer;    ///< its answer showed it
  std::optional<TimePoint> snapshot;  ///< what the sidecar routes by showed it
};

/// How long after a change it showed.
struct Lag {
  std::string label;
  std::optional<Duration> accepted;
  std::optional<Duration> answer;
  std::optional<Duration> snapshot;
  /// To the first request at one that joins; empty also where none came although one was due.
  std::optional<Duration> first_request;
  /// To the last request at one that leaves, zero where none came any more.
  std::optional<Duration> last_request;
  bool request_due = false;  ///< somebody joins
};

/// One for each change. An instance's requests count for a change until the next change that
/// makes it join or leave again. `arrivals` in any order. Pure.
[[nodiscard]] std::vector<Lag> measure_lags(const std::vector<RegistryChange>& changes,
                                            std::vector<Arrival> arrivals);

/// Whether the sets say that the change has happened. An empty change has not. Pure.
[[nodiscard]] bool shows(const PortSet& now, const PortSet& present, const PortSet& absent);

/// `change_to_answer_ms` and so on: the median over the changes of that label, and `_worst_ms` or,
/// with `percentiles`, `_p50_ms`, `_p99_ms` and `_max_ms`; of `_to_accepted` the median alone.
/// `changes`: how many; `changes_missed`: of
/// how many no request came although one was due. Pure.
[[nodiscard]] std::map<std::string, double> lag_figures(const std::vector<Lag>& lags,
                                                        bool percentiles);

/// The value that `fraction` of them do not exceed, 0 where there are none. Pure.
[[nodiscard]] double quantile(std::vector<double> values, double fraction);

}  // namespace pilotfish::bench
