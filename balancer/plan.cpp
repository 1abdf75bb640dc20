#include "balancer/plan.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "balancer/slow_start.hpp"

namespace pilotfish::balancer {

Plan::Plan(std::span<const Member> members, const Settings& settings, TimePoint now, Random& random)
    : algorithm_(settings.algorithm) {
  std::vector<Member> order;
  order.reserve(members.size());
  for (const auto& member : members) {
    if (!member.state->drained && (settings.all || !member.state->barred())) {
      order.push_back(member);
    }
  }
  const auto rank = [](const Member& member) {
    return std::tuple(member.weight == 0, member.state->apart, member.priority);
  };
  std::ranges::stable_sort(order, {}, rank);

  // Moving keys about for minutes would cost more than slow start saves.
  const bool hashes =
      settings.algorithm == Algorithm::kRingHash || settings.algorithm == Algorithm::kMaglev;
  const auto slow_start = hashes ? Duration::zero() : settings.slow_start;
  ramps_ = std::ranges::any_of(
      order, [&](const Member& member) { return ramping(*member.state, slow_start, now); });
  for (const auto& member : order) {
    if (groups_.empty() || std::tuple(groups_.back().weighs_nothing, groups_.back().apart,
                                      groups_.back().priority) != rank(member)) {
      groups_.push_back(
          {member.weight == 0, member.state->apart, member.priority, {}, nullptr, nullptr});
    }
    const auto weight = std::max(member.weight, 1U);
    groups_.back().candidates.push_back(
        {member.state, ramps_ ? weight * ramp_percent(*member.state, slow_start, now) : weight});
  }
  if (!groups_.empty()) {
    std::ignore = picker(groups_.front(), random);
  }
}

Plan::Plan(std::span<const Member> members, TierTablePtr table)
    : algorithm_(table->algorithm), table_(std::move(table)), members_(members) {
  groups_.reserve(table_->groups.size());
  for (const auto& group : table_->groups) {
    groups_.push_back({group.weighs_nothing, false, group.priority, {}, &group, nullptr});
  }
}

void Plan::make(Group& group, Random& random) const {
  if (group.source == nullptr) {
    group.picker = make_picker(algorithm_, group.candidates, random);
    return;
  }
  Candidates candidates;
  candidates.reserve(group.source->rows.size());
  for (const auto row : group.source->rows) {
    candidates.push_back({members_[row].state, std::max(members_[row].weight, 1U)});
  }
  group.picker = make_picker(algorithm_, std::move(candidates), random, group.source->index);
  group.picker->set_filter(filter_);
}

void Plan::set_filter(const PickFilter& filter, std::size_t first) {
  filter_ = filter;
  first_ = first;
  for (auto& group : groups_) {
    if (group.picker) {
      group.picker->set_filter(filter);
    }
  }
}

}  // namespace pilotfish::balancer
