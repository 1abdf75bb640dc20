#include "balancer/plan.hpp"

#include <algorithm>
#include <iterator>
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

namespace {

/// Whether passing over all but `weight` of `all` costs more than an index of their own: a pick
/// makes all / weight draws, or steps along a ring or a table, which is dear to make.
bool are_few(std::uint64_t weight, std::uint64_t all, Algorithm algorithm) {
  const bool hashes = algorithm == Algorithm::kRingHash || algorithm == Algorithm::kMaglev;
  return weight * (hashes ? 32 : 2) < all;
}

}  // namespace

void Plan::sort_shares(std::size_t most, std::uint64_t version) {
  if (std::exchange(sorted_version_, version) == version && sorted_most_ == most) {
    return;
  }
  sorted_most_ = most;
  spares_ = most > 0;
  const bool weighs_nothing = table_->groups.front().weighs_nothing;
  const auto may_leave_few = [&](const TierTable::Group& group) {
    const auto shared = std::min(group.weight, std::uint64_t{most} * group.heaviest);
    return group.weighs_nothing == weighs_nothing &&
           are_few(group.weight - shared, group.weight, algorithm_);
  };
  std::vector<TierTable::Group> own;
  if (spares_ && std::ranges::any_of(table_->groups, may_leave_few)) {
    bool few = false;
    for (const auto& group : table_->groups) {
      TierTable::Group rest{group.weighs_nothing, group.priority, {}, nullptr, 0, 1};
      for (const auto row : group.rows) {
        if (!members_[row].state->apart) {
          rest.rows.push_back(row);
          rest.weight += std::max(members_[row].weight, 1U);
        }
      }
      if (group.weighs_nothing == weighs_nothing && !rest.rows.empty()) {
        few = few || are_few(rest.weight, group.weight, algorithm_);
        own.push_back(std::move(rest));
      }
    }
    spares_ = !own.empty() && !few;
  }
  if (spares_) {
    own.clear();
  }
  lead_with(std::move(own));
}

void Plan::lead_with(std::vector<TierTable::Group> own) {
  const auto rows = [](const Group& group) -> const auto& {
    return group.own->rows;
  };
  if (std::ranges::equal(own, std::span(groups_).first(own_), {}, &TierTable::Group::rows, rows)) {
    return;
  }
  const auto table_groups = groups_.begin() + static_cast<std::ptrdiff_t>(own_);
  std::vector<Group> groups;
  for (auto& each : own) {
    table_->index(each);
    auto source = std::make_unique<const TierTable::Group>(std::move(each));
    groups.push_back({source->weighs_nothing, false, source->priority, {}, source.get(), nullptr});
    groups.back().own = std::move(source);
  }
  std::move(table_groups, groups_.end(), std::back_inserter(groups));
  groups_ = std::move(groups);
  own_ = own.size();
  first_ = 0;
}

std::size_t Plan::first_usable(const PickFilter& filter) {
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    auto& group = groups_[i];
    const auto& rows = group.source->rows;
    for (std::size_t step = 0; step < rows.size(); ++step) {
      const auto place = group.seen + step;
      const auto at = place < rows.size() ? place : place - rows.size();
      if (filter.accepts(*members_[rows[at]].state)) {
        group.seen = at;
        return i;
      }
    }
  }
  return groups_.size();
}

void Plan::set_filter(PickFilter filter) {
  filter.no_share = spares_;
  const auto spared = spares_ ? first_usable(filter) : groups_.size();
  filter.no_share = false;
  const auto first = first_usable(filter);
  first_ = first < groups_.size() ? first : 0;
  // Who weighs nothing waits for the end of those with a share, too.
  if (spared < groups_.size() && groups_[spared].weighs_nothing == groups_[first].weighs_nothing) {
    filter.no_share = true;
    filter.active = true;
    first_ = spared;
  }
  filter_ = filter;
  for (auto& group : groups_) {
    if (group.picker) {
      group.picker->set_filter(filter);
    }
  }
}

InstanceState* Plan::pick_spared_last(const PickContext& context, Random& random) {
  for (auto i = first_; i < groups_.size(); ++i) {
    if (groups_[i].weighs_nothing != groups_[first_].weighs_nothing) {
      continue;
    }
    if (auto* instance = picker(groups_[i], random).pick(context, random)) {
      return instance;
    }
  }
  auto all = filter_;
  all.no_share = false;
  for (auto& group : groups_) {
    auto& from = picker(group, random);
    from.set_filter(all);
    auto* instance = from.pick(context, random);
    from.set_filter(filter_);
    if (instance != nullptr) {
      return instance;
    }
  }
  return nullptr;
}

}  // namespace pilotfish::balancer
