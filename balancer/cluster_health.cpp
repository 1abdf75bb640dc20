// Who may be picked: what ejection and active checks say of the members of each tier.
#include "balancer/cluster_impl.hpp"

namespace pilotfish::balancer {

void Cluster::Impl::count() {
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    auto& tier = tiers[i];
    const auto sum = tier.table ? count_large(tier) : count_small(tier);
    tier.out = sum.size - sum.eligible;
    counts[i] = tier.emptied ? TierCounts{} : sum;
  }
}

TierCounts Cluster::Impl::count_small(Tier& tier) const {
  TierCounts sum;
  sum.size = tier.members.size();
  bool weighs = false;
  for (const auto& member : tier.members) {
    weighs = weighs || member.weight > 0;
  }
  for (const auto& member : tier.members) {
    const auto& state = *member.state;
    sum.unhealthy += state.unhealthy ? 1 : 0;
    sum.ejected += state.ejected && !state.unhealthy ? 1 : 0;
    sum.eligible += state.eligible() ? 1 : 0;
    sum.healthy += state.eligible() && (member.weight > 0 || !weighs) ? 1 : 0;
  }
  return sum;
}

/// Follows those who are out, who are few, instead of the members.
TierCounts Cluster::Impl::count_large(Tier& tier) const {
  const auto size = tier.members.size();
  const bool weighs = tier.table->weighted > 0;
  TierCounts sum{size, weighs ? tier.table->weighted : size, size, 0, 0};
  const auto leave_out = [&](const InstanceState& state) {
    const auto row = row_of(tier.answer, state.endpoint);
    if (!row) {
      return;
    }
    ++(state.unhealthy ? sum.unhealthy : sum.ejected);
    --sum.eligible;
    sum.healthy -= tier.members[*row].weight > 0 || !weighs ? 1 : 0;
  };
  for (const auto* state : ejection.ejected()) {
    if (!state->unhealthy) {
      leave_out(*state);
    }
  }
  for (const auto* state : unhealthy) {
    leave_out(*state);
  }
  return sum;
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
