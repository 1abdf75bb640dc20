// What a request costs the balancer beside the choice: start, end, the retry's question, ejection.
#include "balancer/retry.hpp"
#include "bench/micro/groups.hpp"
#include "bench/micro/sets.hpp"

namespace pilotfish::micro {
namespace {

using balancer::Algorithm;
using balancer::Cluster;
using balancer::InstanceState;
using balancer::Outcome;

/// Pick, started, finished, with 64 requests in flight.
void request(benchmark::State& state, Algorithm algorithm) {
  Fleet fleet(algorithm, state.range(0), false);
  std::array<InstanceState*, 64> running{};
  std::size_t slot = 0;
  std::uint64_t hash = 0;
  for (auto _ : state) {
    fleet.now += std::chrono::microseconds(20);
    if (running[slot] != nullptr) {
      fleet.cluster.finished(*running[slot], Outcome::kSuccess, std::chrono::microseconds(900),
                             fleet.now);
    }
    running[slot] = fleet.cluster.pick({fleet.now, ++hash, {}});
    fleet.cluster.started(*running[slot], fleet.now);
    slot = (slot + 1) % running.size();
  }
}

/// A try that fails without ejecting: outcome, another instance, the budget's word.
void failed_try(benchmark::State& state) {
  Fleet fleet(Algorithm::kLeastRequest, state.range(0), false);
  balancer::RetryBudget budget(20);
  for (auto _ : state) {
    fleet.now += std::chrono::milliseconds(1);
    budget.on_request(fleet.now);
    auto* first = fleet.cluster.pick({fleet.now, 0, {}});
    fleet.cluster.started(*first, fleet.now);
    fleet.cluster.finished(*first, Outcome::kGatewayError, std::chrono::milliseconds(1), fleet.now);
    std::array<InstanceState*, 1> tried{first};
    balancer::RetryQuestion question;
    question.cause = balancer::RetryCause::k503;
    question.idempotent = true;
    question.connected = true;
    question.another_instance = fleet.cluster.another(tried);
    benchmark::DoNotOptimize(balancer::decide_retry({}, question, budget, fleet.now));
    auto* second = fleet.cluster.pick({fleet.now, 0, tried});
    fleet.cluster.started(*second, fleet.now);
    fleet.cluster.finished(*second, Outcome::kSuccess, std::chrono::milliseconds(1), fleet.now);
    fleet.cluster.reached(*first, fleet.now);  // so that no run of failures ejects it
  }
}

/// The fifth failure in a row, and the way back by a probe 30 s later.
void ejection_and_return(benchmark::State& state, Algorithm algorithm) {
  Fleet fleet(algorithm, state.range(0), false);
  std::uint64_t hash = 0;
  for (auto _ : state) {
    auto* bad = fleet.cluster.pick({fleet.now, ++hash, {}});
    for (int i = 0; i < 5; ++i) {
      fleet.cluster.started(*bad, fleet.now);
      fleet.cluster.finished(*bad, Outcome::kConnectFailure, {}, fleet.now);
    }
    // The count of ejections lengthens the next one, up to 5 min.
    fleet.now += std::chrono::minutes(6);
    auto* probe = fleet.cluster.pick({fleet.now, ++hash, {}});
    fleet.cluster.started(*probe, fleet.now);
    fleet.cluster.finished(*probe, Outcome::kSuccess, std::chrono::milliseconds(1), fleet.now);
    benchmark::DoNotOptimize(fleet.cluster.take_events());
  }
}

}  // namespace

void register_outcomes() {
  register_per_algorithm("request", request);
  register_per_algorithm("ejection_and_return", ejection_and_return);
  auto* failed = benchmark::RegisterBenchmark("failed_try", failed_try);
  for (const auto size : kSizes) {
    failed->Arg(size);
  }
}

}  // namespace pilotfish::micro
