#pragma once

#include "bench/scenarios/scenario.hpp"

namespace pilotfish::bench {

/// One function per scenario, each in a file of its name; list.cpp has them all.
[[nodiscard]] ScenarioInfo steady_scenario();
[[nodiscard]] ScenarioInfo connections_scenario();
[[nodiscard]] ScenarioInfo tcp_scenario();
[[nodiscard]] ScenarioInfo bodies_scenario();
[[nodiscard]] ScenarioInfo idle_scenario();

}  // namespace pilotfish::bench
