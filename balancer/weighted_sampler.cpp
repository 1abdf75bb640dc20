#include "balancer/weighted_sampler.hpp"

#include <algorithm>
#include <utility>

namespace pilotfish::balancer {

WeightedSampler::WeightedSampler(std::vector<Candidate> candidates)
    : candidates_(std::move(candidates)) {
  const auto differs = [this](const Candidate& each) {
    return each.weight != candidates_.front().weight;
  };
  if (std::ranges::none_of(candidates_, differs)) {
    return;
  }
  // Weights are scaled so that a full column is `total`: exact in integers.
  std::uint64_t total = 0;
  for (const auto& each : candidates_) {
    total += each.weight;
  }
  const auto count = candidates_.size();
  std::vector<std::uint64_t> fill(count);
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < count; ++i) {
    fill[i] = std::uint64_t{candidates_[i].weight} * count;
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

std::optional<std::size_t> WeightedSampler::draw_untried(std::span<InstanceState* const> tried,
                                                         Random& random,
                                                         const InstanceState* excluded) const {
  const auto usable = [&](std::size_t i) {
    return candidates_[i].state != excluded && !is_tried(tried, candidates_[i].state);
  };
  constexpr int kDraws = 8;
  for (int i = 0; i < kDraws && !candidates_.empty(); ++i) {
    if (const auto index = draw(random); usable(index)) {
      return index;
    }
  }
  // Luck has run out, so count: still by weight, over what is left.
  std::uint64_t left = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    left += usable(i) ? candidates_[i].weight : 0;
  }
  if (left == 0) {
    return std::nullopt;
  }
  auto point = random.below(left);
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (!usable(i)) {
      continue;
    }
    if (point < candidates_[i].weight) {
      return i;
    }
    point -= candidates_[i].weight;
  }
  return std::nullopt;
}

}  // namespace pilotfish::balancer
