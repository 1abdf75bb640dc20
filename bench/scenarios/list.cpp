#include <algorithm>

#include "bench/scenarios/scenarios.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {

std::vector<ScenarioInfo> scenario_list() {
  return {steady_scenario(), connections_scenario(), tcp_scenario(),        bodies_scenario(),
          idle_scenario(),   scale_up_scenario(),    scale_down_scenario(), kill_scenario(),
          flap_scenario(),   fallback_scenario(),    outage_scenario(),     trim_scenario(),
          churn_scenario()};
}

std::optional<ScenarioInfo> find_scenario(std::string_view name) {
  auto all = scenario_list();
  const auto found = std::find_if(all.begin(), all.end(),
                                  [&](const auto& scenario) { return scenario.name == name; });
  if (found == all.end()) return std::nullopt;
  return std::move(*found);
}

}  // namespace pilotfish::bench
