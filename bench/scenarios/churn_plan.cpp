#include "bench/scenarios/churn_plan.hpp"

#include <algorithm>
#include <cmath>

namespace pilotfish::bench {

std::vector<ChurnStep> plan_churn(const ChurnOptions& options, Random& random) {
  struct State {
    bool in = false;
    Duration since = Duration::min();
  };
  std::vector<State> states(options.instances);
  for (std::size_t i = 0; i < options.at_first; ++i) states[i].in = true;
  std::size_t inside = options.at_first;

  std::vector<ChurnStep> plan;
  std::chrono::duration<double> time{0};
  for (;;) {
    time += std::chrono::duration<double>(-std::log1p(-random.unit()) / options.rate);
    const auto at = std::chrono::duration_cast<Duration>(time);
    if (at >= options.length) return plan;
    std::vector<std::size_t> candidates;
    for (std::size_t i = 0; i < states.size(); ++i) {
      const bool rested =
          states[i].since == Duration::min() || at - states[i].since >= options.dwell;
      if (rested && (!states[i].in || inside > options.least)) candidates.push_back(i);
    }
    if (candidates.empty()) continue;
    const auto chosen = candidates[random.below(candidates.size())];
    auto& state = states[chosen];
    state.in = !state.in;
    state.since = at;
    inside = state.in ? inside + 1 : inside - 1;
    plan.push_back({at, chosen, state.in});
  }
}

}  // namespace pilotfish::bench
