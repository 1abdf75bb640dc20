// What keeps a worker free of linear work where an answer is large: newcomers arrive in steps ahead
// of their answer, departures end in steps behind it, and counts follow those who are out, who are
// few, instead of the members.
#include <algorithm>

#include "balancer/cluster_impl.hpp"

namespace pilotfish::balancer {

namespace {

/// So many departures are finished at once even where work may wait.
constexpr std::size_t kAtOnce = 64;

}  // namespace

bool Cluster::Impl::arrive(std::size_t number, const PreparedTierPtr& prepared, TimePoint now,
                           std::size_t most) {
  auto& tier = tiers[number];
  if (!prepared->diff.from.same_as(tier.answer)) {
    return true;  // of no use any more
  }
  if (tier.incoming && tier.incoming->prepared != prepared) {
    call_off(number, now);
  }
  if (!tier.incoming) {
    tier.incoming.emplace(Tier::Incoming{prepared, {}, 0, {}});
    const auto& diff = prepared->diff;
    auto& members = tier.incoming->members;
    members.reserve(diff.to.size());
    for (std::size_t row = 0; row < diff.to.size(); ++row) {
      const auto& instance = diff.to[row];
      auto* known =
          diff.origin[row] == TierDiff::kNew ? nullptr : tier.members[diff.origin[row]].state;
      members.push_back({known, instance.weight, instance.priority});
    }
  }
  arrive_some(number, now, most);
  return tier.incoming->next == prepared->diff.arrived.size();
}

void Cluster::Impl::arrive_some(std::size_t number, TimePoint now, std::size_t most) {
  auto& tier = tiers[number];
  auto& incoming = *tier.incoming;
  const auto& arrived = incoming.prepared->diff.arrived;
  const auto end = std::min(arrived.size(), incoming.next + most);
  if (incoming.next == end) {
    return;
  }
  const auto all = views();
  LiveSet::Changes changes;
  for (; incoming.next < end; ++incoming.next) {
    const auto row = arrived[incoming.next];
    auto& state = live.obtain(incoming.prepared->answer[row].endpoint);
    incoming.members[row].state = &state;
    incoming.arrived.emplace_back(&state);
    live.settle(state, all, now, changes);
  }
  note(std::move(changes));
}

/// What was to come does not: whoever arrived ahead of it leaves, unless another tier has it.
void Cluster::Impl::call_off(std::size_t number, TimePoint now) {
  auto& tier = tiers[number];
  if (!tier.incoming) {
    return;
  }
  const auto incoming = std::move(*tier.incoming);
  tier.incoming.reset();
  const auto all = views();
  LiveSet::Changes changes;
  for (const auto& state : incoming.arrived) {
    if (state->tier >= 0) {  // else another tier's answer took it away already
      live.settle(*state, all, now, changes);
    }
  }
  note(std::move(changes));
  finish_departures();
}

void Cluster::Impl::work(std::size_t most) {
  LiveSet::Changes changes;
  live.finish(most, changes);
  note(std::move(changes));
}

void Cluster::Impl::finish_departures() {
  if (!deferring || live.unfinished() <= kAtOnce) {
    LiveSet::Changes changes;
    live.finish(live.unfinished(), changes);
    note(std::move(changes));
  }
}

std::size_t Cluster::Impl::ejected_in(const Tier& tier) const {
  return static_cast<std::size_t>(std::ranges::count_if(
      ejection.ejected(),
      [&](const InstanceState* state) { return !state->drained && holds(tier, *state); }));
}

bool Cluster::Impl::better_than(const Tier& tier, const InstanceState& instance) const {
  const auto before = [&](std::uint32_t weight, std::uint32_t priority) {
    return weight > 0 && (instance.weight == 0 || priority < instance.priority);
  };
  if (!tier.table) {
    return std::ranges::any_of(tier.members, [&](const Member& other) {
      return !other.state->out() && before(other.weight, other.priority);
    });
  }
  return std::ranges::any_of(tier.table->groups, [&](const TierTable::Group& group) {
    if (!before(group.weighs_nothing ? 0 : 1, group.priority)) {
      return false;
    }
    return std::ranges::any_of(group.rows,
                               [&](std::uint32_t row) { return !tier.members[row].state->out(); });
  });
}

/// Tells a plan that is kept whom to pass over as of now, and who has a share.
void Cluster::Impl::renew_filter(std::size_t number, TimePoint now) {
  auto& tier = tiers[number];
  if (!tier.plan || !tier.plan->table()) {
    return;
  }
  const bool hashes =
      options.algorithm == Algorithm::kRingHash || options.algorithm == Algorithm::kMaglev;
  PickFilter filter;
  filter.slow_start = hashes ? Duration::zero() : options.slow_start;
  filter.all = panic && static_cast<int>(number) == serving();
  filter.active = tier.barred > 0 || tier.drained > 0 || now < live.newest() + filter.slow_start;
  std::size_t shared = 0;  // at most so many members have a share
  for (std::size_t i = 0; i < tiers.size() && share_of(number) == 0; ++i) {
    shared += share_of(i) > 0 ? tiers[i].members.size() : 0;
  }
  tier.plan->sort_shares(shared, live.apart_changes());
  tier.plan->set_filter(filter);
}

bool Cluster::wants_preparing(std::size_t tier, const InstanceSet& answer) const {
  if (tier >= impl_->tiers.size()) {
    return false;
  }
  const auto& now = impl_->tiers[tier];
  return !answer.same_as(now.answer) && std::max(answer.size(), now.answer.size()) >= kLargeAnswer;
}

InstanceSet Cluster::instances(std::size_t tier) const {
  return tier < impl_->tiers.size() ? impl_->tiers[tier].answer : InstanceSet{};
}

Algorithm Cluster::algorithm() const {
  return impl_->options.algorithm;
}

bool Cluster::arrive(std::size_t tier, const PreparedTierPtr& prepared, TimePoint now,
                     std::size_t most) {
  return tier >= impl_->tiers.size() || impl_->arrive(tier, prepared, now, most);
}

void Cluster::defer_work() {
  impl_->deferring = true;
}

bool Cluster::has_work() const {
  return impl_->live.unfinished() > 0;
}

void Cluster::work(std::size_t most) {
  impl_->work(most);
}

}  // namespace pilotfish::balancer
