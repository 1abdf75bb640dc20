#include "balancer/cluster.hpp"

#include <algorithm>
#include <utility>

#include "balancer/cluster_impl.hpp"
#include "balancer/slow_start.hpp"

namespace pilotfish::balancer {

Cluster::Impl::Impl(ClusterOptions wanted, std::vector<std::string> tier_names, std::uint64_t seed)
    : options(wanted),
      names(std::move(tier_names)),
      random(seed),
      tiers(names.size()),
      counts(names.size()),
      selection(names.size(), wanted.fallback),
      ejection(wanted.eject) {
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    tiers[i].name = names[i];
  }
}

void Cluster::Impl::on_answer(std::size_t number, const TierAnswer& answer, TimePoint now) {
  if (number >= tiers.size()) {
    return;
  }
  if (now >= deadline) {
    run_due(now);
  }
  auto& tier = tiers[number];
  if (is_failure(answer.result)) {
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
    if (failed) {
      reason = explain();
    }
    return;
  }
  if (empty) {
    tier.emptied = true;
  } else {
    take(tier, answer);
    assign_members(now);
  }
  tier.answered = true;
  refresh(now);
}

void Cluster::Impl::take(Tier& tier, const TierAnswer& answer) {
  tier.emptied = false;
  tier.answer = answer.instances;
  tier.members.clear();
  for (const auto& instance : tier.answer) {
    tier.members.push_back({&live.obtain(instance.endpoint), instance.weight, instance.priority});
  }
}

void Cluster::Impl::assign_members(TimePoint now) {
  std::vector<LiveSet::TierView> views;
  views.reserve(tiers.size());
  for (const auto& tier : tiers) {
    views.push_back({tier.members, &tier.answer, tier.answered});
  }
  auto changes = live.assign(views, now);
  for (auto& state : changes.arrived) {
    // Gone and back before the shell asked: for the shell it never left.
    if (events.departed.empty() || std::erase(events.departed, state) == 0) {
      events.arrived.push_back(std::move(state));
    }
  }
  for (auto& state : changes.departed) {
    ejection.on_departed(*state, now);
    events.departed.push_back(std::move(state));
  }
}

void Cluster::Impl::run_due(TimePoint now) {
  ejection.expire(now);
  live.forget(now);
  refresh(now);
}

void Cluster::Impl::count() {
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    TierCounts sum;
    bool weighs = false;
    for (const auto& member : tiers[i].members) {
      weighs = weighs || member.weight > 0;
    }
    for (const auto& member : tiers[i].members) {
      const bool ejected = member.state->ejected;
      sum.ejected += ejected ? 1 : 0;
      sum.eligible += ejected ? 0 : 1;
      sum.healthy += !ejected && (member.weight > 0 || !weighs) ? 1 : 0;
    }
    sum.size = tiers[i].members.size();
    counts[i] = tiers[i].emptied ? TierCounts{} : sum;
  }
}

void Cluster::Impl::refresh(TimePoint now) {
  const bool held_before = selection.holding();
  const bool panicked_before = panic;
  std::vector<bool> answered;
  answered.reserve(tiers.size());
  for (const auto& tier : tiers) {
    answered.push_back(tier.answered);
  }
  std::optional<TierSelection::Change> change;
  // A second round only where an instance could be taken back without a probe.
  for (int round = 0; round < 2; ++round) {
    count();
    if (const auto next = selection.update(counts, answered, now)) {
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
  if (serving() >= 0) {
    const auto& members = serving_tier().members;
    panic = !members.empty() && std::ranges::all_of(members, [](const Member& member) {
      return member.state->ejected;
    });
    hot = plan(static_cast<std::size_t>(serving()), now).first();
  } else {
    panic = false;
    hot = nullptr;
  }
  reason = explain();
  if (change && change->from != change->to) {
    events.tier_changes.push_back({change->from, change->to, change->reason, reason});
  }
  note_transitions(held_before, panicked_before);
  renew_deadline(now);
}

/// Lets go of the sets of empty tiers, but for the one that is held.
void Cluster::Impl::drop_emptied(TimePoint now) {
  bool dropped = false;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    auto& tier = tiers[i];
    const bool held = selection.holding() && static_cast<int>(i) == serving();
    if (tier.emptied && !held && !tier.members.empty()) {
      tier.members.clear();
      tier.answer.clear();
      dropped = true;
    }
  }
  if (dropped) {
    assign_members(now);
  }
}

/// A probe needs a request, and only what is as good as the serving instances may get one: worse
/// tiers, later priorities and weight 0 are taken back on trust instead.
void Cluster::Impl::return_unprobable(TimePoint now) {
  const auto wants_traffic = [this](const InstanceState& state) {
    if (serving() >= 0 && state.tier > serving()) {
      return false;
    }
    const auto& members = tiers[static_cast<std::size_t>(state.tier)].members;
    return std::ranges::none_of(members, [&state](const Member& other) {
      return !other.state->ejected && other.weight > 0 &&
             (state.weight == 0 || other.priority < state.priority);
    });
  };
  const auto ejected = ejection.ejected();
  for (auto* state : ejected) {
    if (state->probing && !state->probe_in_flight && state->tier >= 0 && !wants_traffic(*state)) {
      ejection.return_on_trust(*state, now);
      events.returned.emplace_back(state);
    }
  }
}

void Cluster::Impl::drop_plans() {
  hot = nullptr;
  for (auto& tier : tiers) {
    tier.plan.reset();
  }
}

void Cluster::Impl::renew_deadline(TimePoint now) {
  deadline = std::min({selection.next_deadline(), ejection.next_deadline(), live.next_deadline()});
  if (serving() >= 0 && serving_tier().plan && serving_tier().plan->ramps()) {
    deadline = std::min(deadline, now + ramp_step(options.slow_start));
  }
}

void Cluster::Impl::set_options(const ClusterOptions& wanted, TimePoint now) {
  options = wanted;
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

void Cluster::Impl::set_tiers(std::span<const NewTier> wanted, TimePoint now) {
  drop_plans();
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
      take(tier, *one.answer);
    } else if (one.answer) {
      tier.failing.reset();
      tier.emptied = true;
    }
  }
  counts.resize(wanted.size());
  selection.set_tiers(from);
  assign_members(now);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    tiers[i].answered =
        tiers[i].answered || (wanted[i].answer && !is_failure(wanted[i].answer->result));
  }
  refresh(now);
}

Cluster::Cluster(ClusterOptions options, std::vector<std::string> tier_names, std::uint64_t seed)
    : impl_(std::make_unique<Impl>(options, std::move(tier_names), seed)) {}
Cluster::~Cluster() = default;

void Cluster::on_answer(std::size_t tier, const TierAnswer& answer, TimePoint now) {
  impl_->on_answer(tier, answer, now);
}
void Cluster::tick(TimePoint now) {
  if (now >= impl_->deadline) {
    impl_->run_due(now);
  }
}
TimePoint Cluster::next_deadline() const {
  return impl_->deadline;
}
void Cluster::set_options(const ClusterOptions& options, TimePoint now) {
  impl_->set_options(options, now);
}
void Cluster::set_tiers(std::span<const NewTier> tiers, TimePoint now) {
  impl_->set_tiers(tiers, now);
}
int Cluster::serving_tier() const {
  return impl_->serving();
}
const std::string& Cluster::reason() const {
  return impl_->reason;
}
bool Cluster::enough_up_to(std::size_t last) const {
  for (std::size_t i = 0; i <= last && i < impl_->tiers.size(); ++i) {
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
  return !impl_->events.empty();
}
ClusterEvents Cluster::take_events() {
  return std::exchange(impl_->events, {});
}

}  // namespace pilotfish::balancer
