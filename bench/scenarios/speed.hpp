#pragma once

#include <memory>
#include <string>
#include <vector>

#include "bench/harness/bulk_drive.hpp"
#include "bench/harness/drive.hpp"
#include "bench/harness/farm.hpp"
#include "bench/harness/registry.hpp"
#include "bench/scenarios/lineup.hpp"
#include "bench/scenarios/scenario.hpp"

namespace pilotfish::bench {

/// What the scenarios of speed share: instances that never change, all contenders running from the
/// first turn to the last, and the measuring of one turn. Pilotfish gets its instances from the
/// registry; the others have them in their configuration and look nothing up, which is in their
/// favour. Thread-safety: none.
class SpeedWorld {
 public:
  /// Throws Unavailable.
  SpeedWorld(Stage& stage, FarmOptions::Kind kind);

  [[nodiscard]] Lineup& lineup() { return *lineup_; }
  [[nodiscard]] const Lineup& lineup() const { return *lineup_; }
  [[nodiscard]] const std::vector<Endpoint>& instances() const { return farm_->endpoints(); }
  [[nodiscard]] Duration expected(const Turn& turn) const;

  /// Load on the contender for the turn's duration, after a moment in which it settles: what came
  /// of it, with `cpu_per_request_us`, `rate_per_s`, `failed` and the latencies.
  Measurement drive(const Turn& turn, DriveOptions options);
  /// The same of bytes: `cpu_per_mib_us` and `throughput_bytes_per_s`.
  Measurement stream(const Turn& turn, BulkOptions options);

 private:
  /// The warm-up is shorter.
  [[nodiscard]] Duration duration_of(const Turn& turn) const;

  Stage& stage_;
  std::unique_ptr<Registry> registry_;
  std::unique_ptr<Farm> farm_;
  std::unique_ptr<Lineup> lineup_;
};

/// A scenario in one such world.
class SpeedScenario : public Scenario {
 public:
  SpeedScenario(Stage& stage, FarmOptions::Kind kind) : stage_(stage), world_(stage, kind) {}

  [[nodiscard]] std::vector<std::string> contenders() const override {
    return world_.lineup().names();
  }
  [[nodiscard]] Duration expected(const Turn& turn) const override { return world_.expected(turn); }

 protected:
  Measurement drive(const Turn& turn, const DriveOptions& options) {
    return world_.drive(turn, options);
  }

  Stage& stage_;
  SpeedWorld world_;
};

/// What a contender of a speed scenario is to do. `registry`: where pilotfish looks; its templates
/// go by what it is.
[[nodiscard]] Assignment speed_assignment(const Peer& peer, const BenchOptions& options,
                                          const std::string& protocol, const Registry& registry,
                                          const std::vector<Endpoint>& instances);

/// Latency curve of a histogram: dense where the tail is.
[[nodiscard]] std::vector<std::pair<double, double>> latency_curve(const LatencyHistogram& latency);

/// The service that instances are registered as.
inline constexpr const char* kService = "bench";

}  // namespace pilotfish::bench
