#pragma once

#include <array>
#include <benchmark/benchmark.h>
#include <cstdint>
#include <string>

#include "balancer/cluster.hpp"

namespace pilotfish::micro {

struct NamedAlgorithm {
  balancer::Algorithm algorithm;
  const char* name;
};
inline constexpr std::array<NamedAlgorithm, 6> kAlgorithms{
    {{balancer::Algorithm::kLeastRequest, "least_request"},
     {balancer::Algorithm::kRoundRobin, "round_robin"},
     {balancer::Algorithm::kRandom, "random"},
     {balancer::Algorithm::kPeakEwma, "peak_ewma"},
     {balancer::Algorithm::kRingHash, "ring_hash"},
     {balancer::Algorithm::kMaglev, "maglev"}}};

/// The sizes that everything is measured at: a service, a large one, and a fleet.
inline constexpr std::array<std::int64_t, 3> kSizes{3, 100, 10000};

/// 10.0.x.y:80, with weights 1 to 10 in turn where `weighted`.
[[nodiscard]] inline InstanceList instances(std::int64_t count, bool weighted) {
  InstanceList out;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto low = static_cast<std::uint8_t>(i & 0xff);
    const auto high = static_cast<std::uint8_t>(i >> 8);
    const Endpoint endpoint{IpAddress::v4({10, 0, high, low}), 80};
    const auto weight = weighted ? 1 + static_cast<std::uint32_t>(i % 10) : 1;
    out.push_back({endpoint, weight, 0, {}});
  }
  normalise(out);
  return out;
}

[[nodiscard]] inline TierAnswer answer_of(InstanceList list) {
  TierAnswer answer;
  answer.result = LookupResult::kOk;
  answer.instances = std::move(list);
  return answer;
}

[[nodiscard]] inline balancer::ClusterOptions with(balancer::Algorithm algorithm) {
  balancer::ClusterOptions options;
  options.algorithm = algorithm;
  return options;
}

/// A cluster of one tier that serves, at an arbitrary moment.
struct Fleet {
  Fleet(balancer::Algorithm algorithm, std::int64_t count, bool weighted)
      : cluster(with(algorithm), {"only"}, 1) {
    cluster.on_answer(0, answer_of(instances(count, weighted)), now);
  }
  TimePoint now{std::chrono::hours(1)};
  balancer::Cluster cluster;
};

/// One benchmark per algorithm and size: a benchmark's name is "what/algorithm/size".
template <typename Function, typename... Arguments>
void register_per_algorithm(const std::string& what, Function function, Arguments... arguments) {
  for (const auto& [algorithm, name] : kAlgorithms) {
    auto* entry = benchmark::RegisterBenchmark((what + "/" + name).c_str(), function, algorithm,
                                               arguments...);
    for (const auto size : kSizes) {
      entry->Arg(size);
    }
  }
}

}  // namespace pilotfish::micro
