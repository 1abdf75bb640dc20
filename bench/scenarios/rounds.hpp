#pragma once

#include <functional>
#include <string>
#include <vector>

#include "bench/scenarios/scenario.hpp"

namespace pilotfish::bench {

/// The turns in their order: a warm-up round, then `rounds`; in each, case by case, every contender
/// once, beginning with another one each round so that nobody always follows the same neighbour.
/// Pure.
[[nodiscard]] std::vector<Turn> plan_turns(const std::vector<std::string>& contenders,
                                           const std::vector<std::string>& cases, int rounds);

/// Plays them, with a progress line, and adds what was measured to the result. Returns early where
/// it was interrupted: what was measured until then stays. Returns how many turns were measured.
std::size_t play(Scenario& scenario, Stage& stage);

}  // namespace pilotfish::bench
