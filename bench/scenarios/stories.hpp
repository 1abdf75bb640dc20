#pragma once

#include "bench/scenarios/scenario.hpp"

namespace pilotfish::bench {

/// The scenarios around a changing registry; list.cpp has them among the others.
[[nodiscard]] ScenarioInfo scale_up_scenario();
[[nodiscard]] ScenarioInfo scale_down_scenario();
[[nodiscard]] ScenarioInfo kill_scenario();
[[nodiscard]] ScenarioInfo flap_scenario();
[[nodiscard]] ScenarioInfo fallback_scenario();
[[nodiscard]] ScenarioInfo outage_scenario();
[[nodiscard]] ScenarioInfo trim_scenario();
[[nodiscard]] ScenarioInfo churn_scenario();

}  // namespace pilotfish::bench
