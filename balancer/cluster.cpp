#include "balancer/cluster.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "balancer/cluster_impl.hpp"
#include "balancer/slow_start.hpp"

namespace pilotfish::balancer {

Cluster::Impl::Impl(ClusterOptions wanted, std::vector<std::string> tier_names, std::uint64_t seed,
                    TierRoles tier_roles)
    : options(wanted),
      names(std::move(tier_names)),
      random(seed),
      roles(std::move(tier_roles)),
      tiers(names.size()),
      counts(names.size()),
      selection(ordered(), wanted.fallback),
      ejection(wanted.eject),
      split(mix_bits(seed)) {
  split.set_shares(roles.shares);
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    tiers[i].name = names[i];
  }
}

void Cluster::Impl::on_answer(std::size_t number, const TierAnswer& answer, TimePoint now,
                              const PreparedTierPtr& prepared) {
  if (number >= tiers.size()) {
    return;
  }
  if (now >= deadline) {
    run_due(now);
  }
  auto& tier = tiers[number];
  if (is_failure(answer.result)) {
    call_off(number, now);
    if (std::exchange(tier.failing, answer.result) != answer.result) {
      reason = explain();
    }
    return;
  }
  const bool failed = std::exchange(tier.failing, std::nullopt).has_value();
  const bool empty = answer.result != LookupResult::kOk || answer.instances.empty();
  const bool was_empty = tier.emptied || tier.answer.empty();
  if (!empty) {
    tier.asked = answer.asked;  // an empty answer leaves it: while a set is held its own age counts
  }
  if (tier.answered && empty == was_empty && (empty || answer.instances == tier.answer)) {
    call_off(number, now);
    if (!empty && tier.table) {
      tier.answer = answer.instances;  // equal: the next comparison is one of addresses
    }
    if (failed) {
      reason = explain();
    }
    return;
  }
  if (empty) {
    call_off(number, now);
    tier.emptied = true;
  } else {
    take(number, answer, now, prepared);
  }
  tier.answered = true;
  refresh(now);
}

void Cluster::Impl::take(std::size_t number, const TierAnswer& answer, TimePoint now,
                         const PreparedTierPtr& prepared) {
  auto& tier = tiers[number];
  tier.emptied = false;
  auto ready = prepared;
  if (!ready || !ready->answer.same_as(answer.instances) ||
      !ready->diff.from.same_as(tier.answer)) {
    PreparedTier made{answer.instances, nullptr, TierDiff(tier.answer, answer.instances)};
    ready = std::make_shared<const PreparedTier>(std::move(made));
  }
  arrive(number, ready, now, ready->diff.arrived.size());
  const auto& diff = ready->diff;
  auto incoming = std::exchange(tier.incoming, std::nullopt);  // keeps the newcomers alive
  const auto former = std::exchange(tier.members, std::move(incoming->members));
  tier.plan.reset();
  tier.answer = answer.instances;
  tier.table = table_for(tier, ready);
  const auto all = views();
  LiveSet::Changes changes;
  for (const auto row : diff.changed) {
    live.settle(*tier.members[row].state, all, now, changes);
  }
  for (const auto row : diff.left) {
    live.settle(*former[row].state, all, now, changes, number);
  }
  note(std::move(changes));
  finish_departures();
}

TierTablePtr Cluster::Impl::table_for(const Tier& tier, const PreparedTierPtr& prepared) const {
  if (tier.answer.size() < kLargeAnswer) {
    return nullptr;
  }
  const bool fits = prepared && prepared->table && prepared->answer.same_as(tier.answer) &&
                    prepared->table->algorithm == options.algorithm;
  return fits ? prepared->table : std::make_shared<const TierTable>(tier.answer, options.algorithm);
}

std::vector<LiveSet::TierView> Cluster::Impl::views() const {
  std::vector<LiveSet::TierView> out;
  out.reserve(tiers.size());
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    const auto& tier = tiers[i];
    out.push_back({tier.members, &tier.answer, tier.answered, share_of(i) > 0});
    if (tier.incoming) {
      out.back().coming = tier.incoming->members;
      out.back().coming_answer = &tier.incoming->prepared->answer;
    }
  }
  return out;
}

void Cluster::Impl::assign_members(TimePoint now) {
  note(live.settle_all(views(), now));
  finish_departures();
}

void Cluster::Impl::note(LiveSet::Changes changes) {
  for (auto& state : changes.arrived) {
    if (state->ejected) {
      ejection.on_departed(*state, state->left_at);  // it left and came back meanwhile
    }
    apply_verdict(*state);
    // Gone and back before the shell asked: for the shell it never left.
    if (events.departed.empty() || std::erase(events.departed, state) == 0) {
      events.arrived.push_back(std::move(state));
    }
  }
  for (auto& state : changes.departed) {
    ejection.on_departed(*state, state->left_at);
    apply_verdict(*state);
    events.departed.push_back(std::move(state));
  }
}

void Cluster::Impl::run_due(TimePoint now) {
  ejection.expire(now);
  live.forget(now);
  refresh(now);
}

void Cluster::Impl::refresh(TimePoint now) {
  const bool held_before = selection.holding();
  const bool panicked_before = panic;
  std::vector<bool> answered;
  answered.reserve(tiers.size());
  for (std::size_t i = 0; i < ordered(); ++i) {
    answered.push_back(tiers[i].answered);
  }
  std::optional<TierSelection::Change> change;
  // A second round only where an instance could be taken back without a probe.
  for (int round = 0; round < 2; ++round) {
    count();
    if (const auto next = selection.update(std::span(counts).first(ordered()), answered, now)) {
      change = change ? TierSelection::Change{change->from, next->to, next->reason} : next;
    }
    const auto ejected = ejection.ejected().size();
    return_unprobable(now);
    if (ejection.ejected().size() == ejected) {
      break;
    }
  }
  drop_emptied(now);
  drop_plans();
  panic = false;
  if (serving() >= 0) {
    const auto& tier = serving_tier();
    const auto size = tier.members.size() - tier.drained;
    panic = size > 0 && barred_in(tier) == size;
  }
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    renew_filter(i, now);
    if (share_of(i) > 0) {
      std::ignore = plan(i, now).first(random);
    }
  }
  hot = serving() < 0 ? nullptr : plan(static_cast<std::size_t>(serving()), now).first(random);
  reason = explain();
  if (change && change->from != change->to) {
    events.tier_changes.push_back({change->from, change->to, change->reason, reason});
  }
  note_transitions(held_before, panicked_before);
  renew_deadline(now);
}

/// Lets go of the sets of empty tiers, but for the one that is held.
void Cluster::Impl::drop_emptied(TimePoint now) {
  std::vector<InstanceState*> gone;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    auto& tier = tiers[i];
    const bool held = selection.holding() && static_cast<int>(i) == serving();
    if (tier.emptied && !held && !tier.members.empty()) {
      for (const auto& member : tier.members) {
        gone.push_back(member.state);
      }
      tier.members.clear();
      tier.answer = {};
      tier.table = nullptr;
      tier.plan.reset();
    }
  }
  if (gone.empty()) {
    return;
  }
  const auto all = views();
  LiveSet::Changes changes;
  for (auto* state : gone) {
    live.settle(*state, all, now, changes);
  }
  note(std::move(changes));
  finish_departures();
}

/// A probe needs a request, and only what is as good as the serving instances may get one: worse
/// tiers, later priorities and weight 0 are taken back on trust instead.
void Cluster::Impl::return_unprobable(TimePoint now) {
  const auto wants_traffic = [this](const InstanceState& state) {
    const auto tier = static_cast<std::size_t>(state.tier);
    if (state.drained || (serving() >= 0 && state.tier > serving() && share_of(tier) == 0)) {
      return false;
    }
    return !better_than(tiers[tier], state);
  };
  const auto ejected = ejection.ejected();
  for (auto* state : ejected) {
    if (state->probing && !state->probe_in_flight && state->tier >= 0 && !state->unhealthy &&
        !wants_traffic(*state)) {
      ejection.return_on_trust(*state, now);
      events.returned.emplace_back(state);
    }
  }
}

void Cluster::Impl::drop_plans() {
  hot = nullptr;
  for (auto& tier : tiers) {
    if (tier.plan && (!tier.plan->table() || tier.plan->table() != tier.table)) {
      tier.plan.reset();
    }
  }
}

void Cluster::Impl::renew_deadline(TimePoint now) {
  deadline = std::min({selection.next_deadline(), ejection.next_deadline(), live.next_deadline()});
  for (const auto& tier : tiers) {
    if (tier.plan && tier.plan->ramps()) {
      deadline = std::min(deadline, now + ramp_step(options.slow_start));
    }
    if (tier.table && now < live.newest() + options.slow_start) {
      deadline = std::min(deadline, live.newest() + options.slow_start);
    }
  }
}

Cluster::Cluster(ClusterOptions options, std::vector<std::string> tier_names, std::uint64_t seed,
                 TierRoles roles)
    : impl_(std::make_unique<Impl>(options, std::move(tier_names), seed, std::move(roles))) {}
Cluster::~Cluster() = default;

void Cluster::on_answer(std::size_t tier, const TierAnswer& answer, TimePoint now,
                        const PreparedTierPtr& prepared) {
  impl_->on_answer(tier, answer, now, prepared);
}
void Cluster::tick(TimePoint now) {
  if (now >= impl_->deadline) {
    impl_->run_due(now);
  }
}
TimePoint Cluster::next_deadline() const {
  return impl_->deadline;
}
int Cluster::serving_tier() const {
  return impl_->serving();
}
const std::string& Cluster::reason() const {
  return impl_->reason;
}
bool Cluster::enough_up_to(std::size_t last) const {
  for (std::size_t i = 0; i <= last && i < impl_->ordered(); ++i) {
    if (impl_->selection.enough(i)) {
      return true;
    }
  }
  return false;
}
TimePoint Cluster::serving_asked() const {
  return impl_->serving() < 0 ? TimePoint{} : impl_->serving_tier().asked;
}
const std::vector<std::string>& Cluster::tier_names() const {
  return impl_->names;
}
bool Cluster::has_events() const {
  return !impl_->events.empty() || has_work();
}
ClusterEvents Cluster::take_events() {
  return std::exchange(impl_->events, {});
}

}  // namespace pilotfish::balancer
