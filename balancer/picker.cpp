#include "balancer/picker.hpp"

#include <utility>

#include "balancer/slow_start.hpp"
#include "balancer/weighted_sampler.hpp"

namespace pilotfish::balancer {

bool Picker::allowed(const PickContext& context, const InstanceState& state) const {
  return !is_tried(context.tried, &state) && (!filter_.active || filter_.accepts(state));
}

bool Picker::admitted(const PickContext& context, const InstanceState& state,
                      Random& random) const {
  if (!allowed(context, state)) {
    return false;
  }
  return !filter_.active || !ramping(state, filter_.slow_start, context.now) ||
         random.below(kFullShare) < ramp_percent(state, filter_.slow_start, context.now);
}

PickIndexPtr make_pick_index(Algorithm algorithm, std::span<const Share> shares) {
  switch (algorithm) {
    case Algorithm::kRoundRobin: return make_round_robin_index(shares);
    case Algorithm::kRingHash: return make_ring_hash_index(shares);
    case Algorithm::kMaglev: return make_maglev_index(shares);
    case Algorithm::kLeastRequest:
    case Algorithm::kRandom:
    case Algorithm::kPeakEwma: break;
  }
  return make_columns(shares);
}

std::unique_ptr<Picker> make_picker(Algorithm algorithm, Candidates candidates, Random& random,
                                    PickIndexPtr index) {
  if (!index) {
    std::vector<Share> shares;
    shares.reserve(candidates.size());
    for (const auto& each : candidates) {
      shares.push_back({&each.state->endpoint, each.weight});
    }
    index = make_pick_index(algorithm, shares);
  }
  switch (algorithm) {
    case Algorithm::kLeastRequest: return make_least_request(std::move(candidates), index);
    case Algorithm::kRoundRobin: return make_round_robin(std::move(candidates), index, random);
    case Algorithm::kRandom: return make_random(std::move(candidates), index);
    case Algorithm::kPeakEwma: return make_peak_ewma(std::move(candidates), index);
    case Algorithm::kRingHash: return make_ring_hash(std::move(candidates), index);
    case Algorithm::kMaglev: return make_maglev(std::move(candidates), index);
  }
  return make_least_request(std::move(candidates), index);
}

}  // namespace pilotfish::balancer
