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
  for (const auto row : diff.arrived) {
    auto*& state = tier.members[row].state;
    // Another tier's answer may have taken it away since it came, and it may be forgotten by now.
    state = state->tier < 0 ? &live.obtain(tier.answer[row].endpoint) : state;
    if (state->tier < 0 || state->tier > static_cast<int>(number)) {
      live.settle(*state, all, now, changes);
    }
  }
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
  for (const auto& tier : tiers) {
    out.push_back({tier.members, &tier.answer, tier.answered});
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
    const auto& tier = serving_tier();
    panic = !tier.members.empty() && tier.out == tier.members.size();
    for (std::size_t i = 0; i < tiers.size(); ++i) {
      renew_filter(i, now);
    }
    hot = plan(static_cast<std::size_t>(serving()), now).first(random);
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
  std::vector<InstanceState*> gone;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    auto& tier = tiers[i];
    const bool held = selection.holding() && static_cast<int>(i) == serving();
    if (tier.emptied && !held && !tier.members.empty()) {
      call_off(i, now);
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
    if (serving() >= 0 && state.tier > serving()) {
      return false;
    }
    return !better_than(tiers[static_cast<std::size_t>(state.tier)], state);
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
  if (serving() >= 0 && serving_tier().plan && serving_tier().plan->ramps()) {
    deadline = std::min(deadline, now + ramp_step(options.slow_start));
  }
  if (serving() >= 0 && serving_tier().table && now < live.newest() + options.slow_start) {
    deadline = std::min(deadline, live.newest() + options.slow_start);
  }
}

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

void Cluster::Impl::set_tiers(std::span<const NewTier> wanted, TimePoint now) {
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
  return !impl_->events.empty() || has_work();
}
ClusterEvents Cluster::take_events() {
  return std::exchange(impl_->events, {});
}

}  // namespace pilotfish::balancer
