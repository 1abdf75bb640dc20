#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bench/harness/peer.hpp"
#include "bench/report/result.hpp"
#include "bench/scenarios/options.hpp"

namespace pilotfish::bench {

/// What a scenario works with. Ownership: the runner's; outlives the scenario.
struct Stage {
  const BenchOptions& options;
  const Peers& peers;
  /// Who takes part (`contenders`), what a reader must know (`notes`) and `timelines` are the
  /// scenario's to add; measurements are added by the runner from what measure() returns.
  RunResult& result;
};

/// One cell of the plan.
struct Turn {
  std::string contender;
  std::string test_case;
  int round = 0;  ///< 0 is the warm-up: measured like the others, its result thrown away
};

/// A benchmark scenario that runs. The constructor starts what all rounds share and throws
/// Unavailable; the destructor ends it. The runner calls measure() for every contender, case and
/// round, one at a time, on one thread, the order of the contenders rotated from round to round.
class Scenario {
 public:
  virtual ~Scenario() = default;
  /// Who takes part; fixed once constructed.
  [[nodiscard]] virtual std::vector<std::string> contenders() const = 0;
  /// What is measured in each round, by name; one without a name where there is one only.
  [[nodiscard]] virtual std::vector<std::string> cases() const { return {""}; }
  /// How long one turn takes, for the progress line.
  [[nodiscard]] virtual Duration expected(const Turn& turn) const = 0;
  /// False: this contender has no part in this case.
  [[nodiscard]] virtual bool takes_part(const Turn&) const { return true; }
  /// Figures and the latency curve of one turn; the runner fills in the rest. Looks at
  /// interrupted() at least every 100 ms, and returns what it has when that is true. Throws
  /// Unavailable where it cannot go on.
  [[nodiscard]] virtual Measurement measure(const Turn& turn) = 0;
};

/// A scenario as the command line lists it.
struct ScenarioInfo {
  std::string name;
  std::string summary;      ///< one line
  std::string explanation;  ///< what is measured, how, and what its figures mean
  BenchDefaults defaults;
  std::function<std::unique_ptr<Scenario>(Stage&)> make;
};

/// All of them, in the order in which they are listed (scenarios/list.cpp).
[[nodiscard]] std::vector<ScenarioInfo> scenario_list();
[[nodiscard]] std::optional<ScenarioInfo> find_scenario(std::string_view name);

}  // namespace pilotfish::bench
