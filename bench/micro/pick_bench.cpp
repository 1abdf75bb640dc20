// One choice of an instance through the whole Cluster. Goal: at most 20 ns among 3 instances, 60 ns
// among 10,000, and no allocation (which tests/unit/balancer/no_allocation_test.cpp proves).
#include "bench/micro/groups.hpp"
#include "bench/micro/sets.hpp"

namespace pilotfish::micro {
namespace {

using balancer::Algorithm;

/// With some load spread over the instances, so that two choices differ.
void pick(benchmark::State& state, Algorithm algorithm, bool weighted) {
  Fleet fleet(algorithm, state.range(0), weighted);
  for (const auto& each : fleet.cluster.view(fleet.now)) {
    each.state->in_flight =
        static_cast<std::uint32_t>(each.state->endpoint.address.octets()[3]) % 8;
  }
  std::uint64_t hash = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fleet.cluster.pick({fleet.now, ++hash, {}}));
  }
}

/// A retry's choice: one instance was tried.
void pick_again(benchmark::State& state, Algorithm algorithm) {
  Fleet fleet(algorithm, state.range(0), false);
  std::array<balancer::InstanceState*, 1> tried{fleet.cluster.pick({fleet.now, 0, {}})};
  std::uint64_t hash = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(fleet.cluster.pick({fleet.now, ++hash, tried}));
  }
}

}  // namespace

void register_picks() {
  register_per_algorithm("pick", pick, false);
  register_per_algorithm("pick_weighted", pick, true);
  register_per_algorithm("pick_again", pick_again);
}

}  // namespace pilotfish::micro
