// What an answer of the registry costs the balancer: nothing but a comparison where it says what it
// said before, else the new snapshot with its ring, table or schedule.
#include "bench/micro/groups.hpp"
#include "bench/micro/sets.hpp"

namespace pilotfish::micro {
namespace {

using balancer::Algorithm;

/// One instance of the answer comes or goes each time, all of it on one thread: diff, tier
/// selection and a new snapshot.
void changed_answer(benchmark::State& state, Algorithm algorithm) {
  Fleet fleet(algorithm, state.range(0), false);
  auto list = instances(state.range(0), false);
  const auto whole = answer_of(list);
  list.pop_back();
  const auto less = answer_of(std::move(list));
  bool flip = false;
  for (auto _ : state) {
    fleet.cluster.on_answer(0, flip ? whole : less, fleet.now);
    flip = !flip;
    benchmark::DoNotOptimize(fleet.cluster.take_events());
  }
}

/// The same instances in another list, as each lookup over DNS brings it.
void unchanged_answer(benchmark::State& state) {
  Fleet fleet(Algorithm::kLeastRequest, state.range(0), false);
  const auto answer = answer_of(instances(state.range(0), false));
  for (auto _ : state) {
    fleet.cluster.on_answer(0, answer, fleet.now);
  }
}

/// From nothing to a snapshot that serves: live state of every instance included.
void first_answer(benchmark::State& state, Algorithm algorithm) {
  const auto answer = answer_of(instances(state.range(0), true));
  for (auto _ : state) {
    balancer::Cluster cluster(with(algorithm), {"only"}, 1);
    cluster.on_answer(0, answer, TimePoint{std::chrono::hours(1)});
    benchmark::DoNotOptimize(cluster.serving_tier());
  }
}

}  // namespace

void register_answers() {
  register_per_algorithm("changed_answer", changed_answer);
  register_per_algorithm("first_answer", first_answer);
  auto* unchanged = benchmark::RegisterBenchmark("unchanged_answer", unchanged_answer);
  for (const auto size : kSizes) {
    unchanged->Arg(size);
  }
}

}  // namespace pilotfish::micro
