#include "balancer/tier_table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace pilotfish::balancer {

TierTable::TierTable(InstanceSet answer, Algorithm how)
    : instances(std::move(answer)), algorithm(how) {
  std::vector<std::uint32_t> order(instances.size());
  std::iota(order.begin(), order.end(), 0U);
  const auto rank = [this](std::uint32_t row) {
    return std::pair(instances[row].weight == 0, instances[row].priority);
  };
  std::ranges::stable_sort(order, {}, rank);
  for (const auto row : order) {
    const auto [weighs_nothing, priority] = rank(row);
    if (groups.empty() || groups.back().weighs_nothing != weighs_nothing ||
        groups.back().priority != priority) {
      groups.push_back({weighs_nothing, priority, {}, nullptr, 0, 1});
    }
    groups.back().rows.push_back(row);
    weighted += weighs_nothing ? 0 : 1;
  }
  for (auto& group : groups) {
    index(group);
  }
}

void TierTable::index(Group& group) const {
  group.weight = 0;
  std::vector<Share> shares;
  shares.reserve(group.rows.size());
  for (const auto row : group.rows) {
    const auto weight = std::max(instances[row].weight, 1U);
    shares.push_back({&instances[row].endpoint, weight});
    group.weight += weight;
    group.heaviest = std::max(group.heaviest, weight);
  }
  group.index = make_pick_index(algorithm, shares);
}

TierDiff::TierDiff(InstanceSet former, InstanceSet next)
    : from(std::move(former)), to(std::move(next)) {
  origin.reserve(to.size());
  std::uint32_t old = 0;
  for (std::uint32_t row = 0; row < to.size(); ++row) {
    for (; old < from.size() && from[old].endpoint < to[row].endpoint; ++old) {
      left.push_back(old);
    }
    if (old == from.size() || from[old].endpoint != to[row].endpoint) {
      origin.push_back(kNew);
      arrived.push_back(row);
      continue;
    }
    origin.push_back(old);
    if (from[old] != to[row]) {
      changed.push_back(row);
    }
    ++old;
  }
  for (; old < from.size(); ++old) {
    left.push_back(old);
  }
}

}  // namespace pilotfish::balancer
