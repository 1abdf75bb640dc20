#include "bench/scenarios/rounds.hpp"

#include "bench/lab/interrupt.hpp"
#include "bench/scenarios/progress.hpp"

namespace pilotfish::bench {

std::vector<Turn> plan_turns(const std::vector<std::string>& contenders,
                             const std::vector<std::string>& cases, int rounds) {
  std::vector<Turn> turns;
  for (int round = 0; round <= rounds; ++round) {
    for (const auto& test_case : cases) {
      for (std::size_t i = 0; i < contenders.size(); ++i) {
        const auto turn = (i + static_cast<std::size_t>(round)) % contenders.size();
        turns.push_back({contenders[turn], test_case, round});
      }
    }
  }
  return turns;
}

std::size_t play(Scenario& scenario, Stage& stage) {
  std::vector<Turn> turns;
  Duration left{};
  for (auto& turn : plan_turns(scenario.contenders(), scenario.cases(), stage.options.rounds)) {
    if (!scenario.takes_part(turn)) continue;
    left += scenario.expected(turn);
    turns.push_back(std::move(turn));
  }
  Progress progress(stage.options.scenario, stage.options.rounds);
  std::size_t measured = 0;
  for (const auto& turn : turns) {
    progress.begin(turn, left);
    left -= scenario.expected(turn);
    auto measurement = scenario.measure(turn);
    if (interrupted()) break;  // this one is not whole
    if (turn.round == 0) continue;
    measurement.contender = turn.contender;
    measurement.test_case = turn.test_case;
    measurement.round = turn.round;
    stage.result.measurements.push_back(std::move(measurement));
    ++measured;
  }
  return measured;
}

}  // namespace pilotfish::bench
