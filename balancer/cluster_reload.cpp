// What a reload changes: options, drained instances and tiers, with all that is known of instances
// kept.
#include <utility>

#include "balancer/cluster_impl.hpp"

namespace pilotfish::balancer {

void Cluster::Impl::set_options(const ClusterOptions& wanted, TimePoint now) {
  options = wanted;
  for (auto& tier : tiers) {
    if (tier.table && tier.table->algorithm != options.algorithm) {
      tier.table = std::make_shared<const TierTable>(tier.answer, options.algorithm);
    }
  }
  selection.set_options(options.fallback);
  ejection.set_options(options.eject);
  if (options.eject.consecutive == 0) {
    const auto ejected = ejection.ejected();
    for (auto* state : ejected) {
      ejection.return_on_trust(*state, now);
      events.returned.emplace_back(state);
    }
  }
  refresh(now);
}

void Cluster::Impl::set_drain(DrainList drain, TimePoint now) {
  for (auto& state : live.set_drain(std::move(drain))) {
    events.drained.push_back(std::move(state));
  }
  refresh(now);
}

void Cluster::Impl::set_shares(std::vector<std::uint32_t> shares, TimePoint now) {
  const auto former = std::exchange(roles.shares, std::move(shares));
  split.set_shares(roles.shares);
  const auto all = views();
  LiveSet::Changes changes;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    if ((i < former.size() && former[i] > 0) != all[i].shared) {
      settle_tier(tiers[i], all, now, changes);
    }
  }
  note(std::move(changes));
  refresh(now);
}

/// Those of one tier, whoever arrived ahead of its next answer included.
void Cluster::Impl::settle_tier(const Tier& tier, std::span<const LiveSet::TierView> all,
                                TimePoint now, LiveSet::Changes& changes) {
  for (const auto& member : tier.members) {
    live.settle(*member.state, all, now, changes);
  }
  if (tier.incoming) {
    for (const auto& state : tier.incoming->arrived) {
      live.settle(*state, all, now, changes);
    }
  }
}

/// Only the list: who came and who left is found when all tiers stand.
void Cluster::Impl::replace(Tier& tier, const InstanceSet& answer,
                            const PreparedTierPtr& prepared) {
  tier.emptied = false;
  tier.answer = answer;
  tier.members.clear();
  for (const auto& instance : tier.answer) {
    tier.members.push_back({&live.obtain(instance.endpoint), instance.weight, instance.priority});
  }
  tier.table = table_for(tier, prepared);
}

void Cluster::Impl::set_tiers(std::span<const NewTier> wanted, TimePoint now,
                              TierRoles tier_roles) {
  hot = nullptr;
  work(live.unfinished());
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    call_off(i, now);
    tiers[i].plan.reset();
  }
  std::vector<int> from;
  std::vector<Tier> former = std::exchange(tiers, std::vector<Tier>(wanted.size()));
  names.clear();
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const auto& one = wanted[i];
    auto& tier = tiers[i];
    from.push_back(one.from);
    names.push_back(one.name);
    if (one.from >= 0) {
      tier = std::move(former[static_cast<std::size_t>(one.from)]);
    }
    tier.name = one.name;
    if (one.answer && is_failure(one.answer->result)) {
      tier.failing = one.answer->result;
    } else if (one.answer && !one.answer->instances.empty()) {
      tier.failing.reset();
      tier.asked = one.answer->asked;
      replace(tier, one.answer->instances, one.prepared);
    } else if (one.answer) {
      tier.failing.reset();
      tier.emptied = true;
    }
  }
  roles = std::move(tier_roles);
  split.set_shares(roles.shares);
  counts.resize(wanted.size());
  selection.set_tiers(std::span(from).first(ordered()));
  assign_members(now);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    tiers[i].answered =
        tiers[i].answered || (wanted[i].answer && !is_failure(wanted[i].answer->result));
  }
  refresh(now);
}

void Cluster::set_options(const ClusterOptions& options, TimePoint now) {
  impl_->set_options(options, now);
}
void Cluster::set_drain(DrainList drain, TimePoint now) {
  impl_->set_drain(std::move(drain), now);
}
void Cluster::set_shares(std::vector<std::uint32_t> shares, TimePoint now) {
  impl_->set_shares(std::move(shares), now);
}
void Cluster::set_tiers(std::span<const NewTier> tiers, TimePoint now, TierRoles roles) {
  impl_->set_tiers(tiers, now, std::move(roles));
}
const TierRoles& Cluster::roles() const {
  return impl_->roles;
}

}  // namespace pilotfish::balancer
