#include "balancer/picker.hpp"

#include <utility>

namespace pilotfish::balancer {

std::unique_ptr<Picker> make_picker(Algorithm algorithm, std::vector<Candidate> candidates,
                                    Random& random) {
  switch (algorithm) {
    case Algorithm::kLeastRequest: return make_least_request(std::move(candidates));
    case Algorithm::kRoundRobin: return make_round_robin(std::move(candidates), random);
    case Algorithm::kRandom: return make_random(std::move(candidates));
    case Algorithm::kPeakEwma: return make_peak_ewma(std::move(candidates));
    case Algorithm::kRingHash: return make_ring_hash(std::move(candidates));
    case Algorithm::kMaglev: return make_maglev(std::move(candidates));
  }
  return make_least_request(std::move(candidates));
}

}  // namespace pilotfish::balancer
