#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/contender.hpp"
#include "bench/harness/fleet.hpp"
#include "bench/harness/load.hpp"
#include "bench/harness/registry.hpp"
#include "bench/report/result.hpp"
#include "bench/scenarios/change_watch.hpp"
#include "bench/scenarios/spread.hpp"
#include "bench/scenarios/timeline.hpp"

namespace pilotfish::bench {

struct SceneOptions {
  std::string service;
  bool by_api = false;  ///< what the registry shows is asked of its API, not of its DNS
  double rate = 300;
  double new_connections = 0.2;  ///< share of the requests
  Duration probe = std::chrono::milliseconds(2);
  bool percentiles = false;  ///< of the lags too
  std::uint64_t seed = 1;
};

/// One turn in front of one proxy: open-loop load, changes to the world, and what came of them.
/// All waits end early where the run is interrupted. Thread-safety: none.
class Scene {
 public:
  /// `at_first`: the members of the fleet that are to get requests from the start.
  Scene(Registry& registry, Fleet& fleet, Contender& contender, const SceneOptions& options,
        const std::vector<std::size_t>& at_first);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  /// Starts the load and waits until every one of `at_first` gets requests and nothing fails any
  /// more; what is counted begins then. Throws Unavailable where that takes longer than 20 s.
  void warm_up();
  /// Starts the load and counts from the first request on.
  void begin_cold();

  /// Does something to the world, and watches for its effect. A mark on the timeline says what.
  std::size_t perform(RegistryChange change, const std::string& what,
                      const std::function<void()>& act);
  /// Until the change has shown everywhere: answer, snapshot, a first request at somebody who
  /// joins, and nothing for `calm` at those who leave; or `limit` is over. False where it is not.
  bool await(std::size_t number, Duration calm = std::chrono::milliseconds(250),
             Duration limit = std::chrono::seconds(8));
  /// Lets time pass; false where the run was interrupted.
  bool rest(Duration duration);
  bool rest_until(TimePoint moment);
  void mark(const std::string& what);

  /// Ends the load. What it was like: `requests`, `failed`, latencies, lags, spread, lookups.
  [[nodiscard]] Measurement finish();
  /// After finish().
  [[nodiscard]] Timeline timeline(Duration bucket) const;
  [[nodiscard]] const std::vector<Completion>& completions() const { return completions_; }
  [[nodiscard]] const LoadReport& report() const { return report_; }
  /// As in Spread.
  [[nodiscard]] std::size_t requests_until_all() const { return spread_.requests_until_all; }
  /// When counting began.
  [[nodiscard]] TimePoint begun() const { return begun_; }

 private:
  [[nodiscard]] bool joined(const RegistryChange& change) const;
  [[nodiscard]] bool quiet(const RegistryChange& change, Duration quiet) const;
  [[nodiscard]] std::vector<Arrival> arrivals() const;
  struct Counters {
    double lookups = 0;
    double retries = 0;
  };
  /// What the sidecar has counted so far; empty for those who are none.
  [[nodiscard]] std::optional<Counters> counters() const;
  void count_from_now();
  void collect();

  Registry& registry_;
  Fleet& fleet_;
  Contender& contender_;
  const SceneOptions options_;
  const std::vector<std::size_t> at_first_;
  ChangeWatch watch_;
  Load load_;
  TimePoint begun_;
  TimePoint ended_;
  std::optional<Counters> counters_before_;
  std::uint64_t questions_before_ = 0;
  std::vector<Completion> completions_;
  std::vector<Mark> marks_;
  LoadReport report_;
  Spread spread_;
};

/// The sidecar's admin address where the contender has one that tells its snapshot.
[[nodiscard]] std::optional<Endpoint> snapshot_of(const Contender& contender);

}  // namespace pilotfish::bench
