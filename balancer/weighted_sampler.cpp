#include "balancer/weighted_sampler.hpp"

#include <algorithm>

namespace pilotfish::balancer {

WeightedColumns::WeightedColumns(std::span<const Share> shares) {
  const auto differs = [&](const Share& each) { return each.weight != shares.front().weight; };
  if (std::ranges::none_of(shares, differs)) {
    return;
  }
  // Weights are scaled so that a full column is `total`: exact in integers.
  std::uint64_t total = 0;
  for (const auto& each : shares) {
    total += each.weight;
  }
  const auto count = shares.size();
  std::vector<std::uint64_t> fill(count);
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < count; ++i) {
    fill[i] = std::uint64_t{shares[i].weight} * count;
    (fill[i] < total ? small : large).push_back(i);
  }
  columns_.resize(count);
  while (!small.empty() && !large.empty()) {
    const auto low = small.back();
    small.pop_back();
    const auto high = large.back();
    const auto share = static_cast<double>(fill[low]) / static_cast<double>(total);
    columns_[low] = {static_cast<std::uint32_t>(std::min(share * 0x1.0p32, 0x1.0p32 - 1)), high};
    fill[high] -= total - fill[low];
    if (fill[high] < total) {
      large.pop_back();
      small.push_back(high);
    }
  }
  for (const auto& rest : {small, large}) {
    for (const auto i : rest) {
      columns_[i] = {UINT32_MAX, i};
    }
  }
}

PickIndexPtr make_columns(std::span<const Share> shares) {
  return std::make_shared<WeightedColumns>(shares);
}

}  // namespace pilotfish::balancer
