// Nanoseconds per pick through the whole Cluster, by algorithm, number of instances and weights;
// and what a changed answer costs. Use a release build.
#include <array>
#include <benchmark/benchmark.h>
#include <deque>
#include <string>

#include "balancer/cluster.hpp"

namespace {

using namespace pilotfish;
using namespace pilotfish::balancer;

struct Named {
  Algorithm algorithm;
  const char* name;
};
constexpr std::array<Named, 6> kAlgorithms{{{Algorithm::kLeastRequest, "least_request"},
                                            {Algorithm::kRoundRobin, "round_robin"},
                                            {Algorithm::kRandom, "random"},
                                            {Algorithm::kPeakEwma, "peak_ewma"},
                                            {Algorithm::kRingHash, "ring_hash"},
                                            {Algorithm::kMaglev, "maglev"}}};

TierAnswer answer_of(std::int64_t instances, bool weighted, std::uint8_t network = 10) {
  TierAnswer answer;
  answer.result = LookupResult::kOk;
  for (std::int64_t i = 0; i < instances; ++i) {
    const auto low = static_cast<std::uint8_t>(i & 0xff);
    const auto high = static_cast<std::uint8_t>(i >> 8);
    const Endpoint endpoint{IpAddress::v4({network, 0, high, low}), 80};
    const auto weight = weighted ? 1 + static_cast<std::uint32_t>(i % 10) : 1;
    answer.instances.push_back({endpoint, weight, 0, {}});
  }
  normalise(answer.instances);
  return answer;
}

ClusterOptions using_algorithm(Algorithm algorithm) {
  ClusterOptions options;
  options.algorithm = algorithm;
  return options;
}

/// A pick alone, with some load spread over the instances.
void pick(benchmark::State& state, Algorithm algorithm, bool weighted) {
  TimePoint now{std::chrono::hours(1)};
  Cluster cluster(using_algorithm(algorithm), {"only"}, 1);
  cluster.on_answer(0, answer_of(state.range(0), weighted), now);
  for (const auto& each : cluster.view(now)) {
    each.state->in_flight =
        static_cast<std::uint32_t>(each.state->endpoint.address.octets()[3]) % 8;
  }
  std::uint64_t hash = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(cluster.pick({now, ++hash, {}}));
  }
}

/// What a request costs the balancer: pick, started, finished, with 64 in flight.
void request(benchmark::State& state, Algorithm algorithm) {
  TimePoint now{std::chrono::hours(1)};
  Cluster cluster(using_algorithm(algorithm), {"only"}, 1);
  cluster.on_answer(0, answer_of(state.range(0), false), now);
  std::array<InstanceState*, 64> running{};
  std::size_t slot = 0;
  std::uint64_t hash = 0;
  for (auto _ : state) {
    now += std::chrono::microseconds(20);
    if (running[slot] != nullptr) {
      cluster.finished(*running[slot], Outcome::kSuccess, std::chrono::microseconds(900), now);
    }
    running[slot] = cluster.pick({now, ++hash, {}});
    cluster.started(*running[slot], now);
    slot = (slot + 1) % running.size();
  }
}

/// One instance of the answer changes each time: diff, selection and a new picker.
void changed_answer(benchmark::State& state, Algorithm algorithm) {
  TimePoint now{std::chrono::hours(1)};
  Cluster cluster(using_algorithm(algorithm), {"only"}, 1);
  auto one = answer_of(state.range(0), false);
  auto other = one;
  other.instances.pop_back();
  bool flip = false;
  for (auto _ : state) {
    cluster.on_answer(0, flip ? one : other, now);
    flip = !flip;
    benchmark::DoNotOptimize(cluster.take_events());
  }
}

void unchanged_answer(benchmark::State& state) {
  TimePoint now{std::chrono::hours(1)};
  Cluster cluster({}, {"only"}, 1);
  const auto answer = answer_of(state.range(0), false);
  for (auto _ : state) {
    cluster.on_answer(0, answer, now);
  }
}

}  // namespace

int main(int argc, char** argv) {
  for (const auto& [algorithm, name] : kAlgorithms) {
    const std::string text = name;
    const auto add = [&](const std::string& what, auto function, auto... arguments) {
      benchmark::RegisterBenchmark((what + "/" + text).c_str(), function, arguments...)
          ->Arg(3)
          ->Arg(100)
          ->Arg(10000);
    };
    add("pick", pick, algorithm, false);
    add("pick_weighted", pick, algorithm, true);
    add("request", request, algorithm);
    add("changed_answer", changed_answer, algorithm);
  }
  benchmark::RegisterBenchmark("unchanged_answer", unchanged_answer)->Arg(3)->Arg(100)->Arg(10000);
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
