#include <algorithm>
#include <memory>

#include "balancer/failure_load.hpp"
#include "balancer/two_choices.hpp"

namespace pilotfish::balancer {

namespace {

/// Compares latency x (load + 1) / weight, latency being a peak-sensitive average that fades while
/// an instance is not used. Between two idle candidates the weight stays out of it: the draw has
/// already gone by weight, and the faster one wins.
struct LessExpectedWait {
  static double latency(const Candidate& candidate, TimePoint now) {
    constexpr double kFloor = 10e-6;  // below it load alone should decide
    return std::max(candidate.state->latency.value_at(now), kFloor);
  }
  static bool prefers_second(const Candidate& first, const Candidate& second,
                             const PickContext& context) {
    const double a = load_at(*first.state, context);
    const double b = load_at(*second.state, context);
    const bool idle = a + b == 0;
    const double first_weight = idle ? 1.0 : first.weight;
    const double second_weight = idle ? 1.0 : second.weight;
    return latency(second, context.now) * (b + 1) * first_weight <
           latency(first, context.now) * (a + 1) * second_weight;
  }
};

}  // namespace

std::unique_ptr<Picker> make_peak_ewma(Candidates candidates, const PickIndexPtr& index) {
  return std::make_unique<TwoChoicesPicker<LessExpectedWait>>(std::move(candidates), index);
}

}  // namespace pilotfish::balancer
