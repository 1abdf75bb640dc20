#include "balancer/plan.hpp"

#include <algorithm>
#include <tuple>

#include "balancer/slow_start.hpp"

namespace pilotfish::balancer {

Plan::Plan(std::span<const Member> members, const Settings& settings, TimePoint now, Random& random)
    : algorithm_(settings.algorithm) {
  std::vector<Member> order;
  order.reserve(members.size());
  for (const auto& member : members) {
    if (settings.ignore_ejection || !member.state->ejected) {
      order.push_back(member);
    }
  }
  const auto rank = [](const Member& member) {
    return std::pair(member.weight == 0, member.priority);
  };
  std::ranges::stable_sort(order, {}, rank);

  // Moving keys about for minutes would cost more than slow start saves.
  const bool hashes =
      settings.algorithm == Algorithm::kRingHash || settings.algorithm == Algorithm::kMaglev;
  const auto slow_start = hashes ? Duration::zero() : settings.slow_start;
  ramps_ = std::ranges::any_of(
      order, [&](const Member& member) { return ramping(*member.state, slow_start, now); });
  for (const auto& member : order) {
    if (groups_.empty() ||
        std::pair(groups_.back().weighs_nothing, groups_.back().priority) != rank(member)) {
      groups_.push_back({member.weight == 0, member.priority, {}, nullptr});
    }
    const auto weight = std::max(member.weight, 1U);
    groups_.back().candidates.push_back(
        {member.state, ramps_ ? weight * ramp_percent(*member.state, slow_start, now) : weight});
  }
  if (!groups_.empty()) {
    std::ignore = picker(groups_.front(), random);
  }
}

bool Plan::another(std::span<InstanceState* const> tried) const {
  return std::ranges::any_of(groups_, [&](const Group& group) {
    return std::ranges::any_of(group.candidates,
                               [&](const Candidate& each) { return !is_tried(tried, each.state); });
  });
}

}  // namespace pilotfish::balancer
