#include <memory>

#include "balancer/failure_load.hpp"
#include "balancer/two_choices.hpp"

namespace pilotfish::balancer {

namespace {

/// Compares (load + 1/2) / weight: the divisor method of Webster, which fills places in proportion
/// to the weights without favour for the heavy (as + 1 has) or the light (as + 0 has). Two idle
/// candidates leave it to the draw, so that traffic of one request at a time also follows the
/// weights.
struct LessLoad {
  static bool prefers_second(const Candidate& first, const Candidate& second,
                             const PickContext& context) {
    const double a = load_at(*first.state, context);
    const double b = load_at(*second.state, context);
    const bool busy = a + b > 0;
    return busy & ((b + 0.5) * first.weight < (a + 0.5) * second.weight);
  }
};

}  // namespace

std::unique_ptr<Picker> make_least_request(Candidates candidates, const PickIndexPtr& index) {
  return std::make_unique<TwoChoicesPicker<LessLoad>>(std::move(candidates), index);
}

}  // namespace pilotfish::balancer
