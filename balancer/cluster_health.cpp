// Who may be picked: what ejection and active checks say of the members of each tier.
#include <algorithm>

#include "balancer/cluster_impl.hpp"

namespace pilotfish::balancer {

void Cluster::Impl::count() {
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    auto& tier = tiers[i];
    const auto sum = tier.table ? count_large(tier) : count_small(tier);
    tier.barred = sum.ejected + sum.unhealthy;
    tier.drained = sum.drained;
    counts[i] = tier.emptied ? TierCounts{} : sum;
  }
}

TierCounts Cluster::Impl::count_small(const Tier& tier) const {
  TierCounts sum;
  bool weighs = false;
  for (const auto& member : tier.members) {
    weighs = weighs || (member.weight > 0 && !member.state->drained);
  }
  for (const auto& member : tier.members) {
    const auto& state = *member.state;
    const bool out = state.out();
    sum.drained += state.drained ? 1 : 0;
    sum.unhealthy += state.unhealthy && !state.drained ? 1 : 0;
    sum.ejected += state.ejected && !state.unhealthy && !state.drained ? 1 : 0;
    sum.eligible += out ? 0 : 1;
    sum.healthy += !out && (member.weight > 0 || !weighs) ? 1 : 0;
  }
  sum.size = tier.members.size() - sum.drained;
  return sum;
}

/// Follows those who are out, who are few, instead of the members.
TierCounts Cluster::Impl::count_large(const Tier& tier) const {
  const auto size = tier.members.size();
  TierCounts sum;
  auto weighted = tier.table->weighted;
  for (const auto& state : live.drained()) {
    if (const auto row = row_of(tier.answer, state->endpoint)) {
      ++sum.drained;
      weighted -= tier.members[*row].weight > 0 ? 1 : 0;
    }
  }
  sum.size = size - sum.drained;
  sum.eligible = sum.size;
  const bool weighs = weighted > 0;
  sum.healthy = weighs ? weighted : sum.size;
  const auto leave_out = [&](const InstanceState& state, std::size_t& kind) {
    if (const auto row = row_of(tier.answer, state.endpoint)) {
      ++kind;
      --sum.eligible;
      sum.healthy -= tier.members[*row].weight > 0 || !weighs ? 1 : 0;
    }
  };
  for (const auto* state : ejection.ejected()) {
    if (!state->drained && !state->unhealthy) {
      leave_out(*state, sum.ejected);
    }
  }
  for (const auto* state : unhealthy) {
    if (!state->drained) {
      leave_out(*state, sum.unhealthy);
    }
  }
  return sum;
}

std::size_t Cluster::Impl::barred_in(const Tier& tier) const {
  const auto counts_here = [&](const InstanceState* state) {
    return !state->drained && holds(tier, *state);
  };
  return static_cast<std::size_t>(
      std::ranges::count_if(unhealthy, counts_here) +
      std::ranges::count_if(ejection.ejected(), [&](const InstanceState* state) {
        return !state->unhealthy && counts_here(state);
      }));
}

void Cluster::Impl::apply_verdict(InstanceState& state) {
  const bool out = state.place != InstanceState::kNowhere && verdicts.contains(state.endpoint);
  if (out == state.unhealthy) {
    return;
  }
  state.unhealthy = out;
  if (out) {
    unhealthy.insert(&state);
    events.unhealthy.emplace_back(&state);
  } else {
    unhealthy.erase(&state);
  }
}

void Cluster::Impl::set_verdicts(std::span<const CheckVerdict> list, TimePoint now) {
  for (const auto& one : list) {
    if (one.healthy) {
      verdicts.erase(one.endpoint);
    } else {
      verdicts[one.endpoint] = one.why;
    }
    if (auto* state = live.find(one.endpoint)) {
      apply_verdict(*state);
    }
  }
  refresh(now);
}

void Cluster::Impl::forget_verdicts(TimePoint now) {
  if (verdicts.empty()) {
    return;
  }
  verdicts.clear();
  const auto former = unhealthy;
  for (auto* state : former) {
    apply_verdict(*state);
  }
  refresh(now);
}

void Cluster::set_verdicts(std::span<const CheckVerdict> verdicts, TimePoint now) {
  impl_->set_verdicts(verdicts, now);
}
void Cluster::forget_verdicts(TimePoint now) {
  impl_->forget_verdicts(now);
}

}  // namespace pilotfish::balancer
