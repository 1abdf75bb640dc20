#include <algorithm>
#include <bit>

#include "balancer/cluster_impl.hpp"
#include "balancer/failure_load.hpp"

namespace pilotfish::balancer {

InstanceState* Cluster::Impl::pick(const PickContext& context) {
  if (context.now >= deadline) {
    run_due(context.now);
  }
  if (context.wanted == 0 && context.keep == nullptr) {
    return pick_in_order(context);
  }
  if (auto* instance = pick_wanted(context, context.tried.empty())) {
    return instance;
  }
  auto* instance = pick_in_order(context);
  const bool again = instance == nullptr || is_tried(context.tried, instance);
  auto* wanted = again && !context.tried.empty() ? pick_wanted(context, true) : nullptr;
  return wanted == nullptr ? instance : wanted;
}

InstanceState* Cluster::Impl::pick_in_order(const PickContext& context) {
  // A retry is no probe: its request has failed once already.
  if (ejection.any_probing() && context.tried.empty()) {
    const auto in_use = [this](const InstanceState& state) {
      return !state.drained && !state.unhealthy && state.tier >= 0 && state.tier <= serving();
    };
    if (auto* probe = ejection.due_probe(in_use)) {
      return probe;
    }
  }
  if (hot != nullptr) {
    if (auto* instance = hot->pick(context, random)) {
      return context.tried.empty() ? instance : spare_suspects(context, *instance);
    }
  }
  if (serving() < 0) {
    return nullptr;
  }
  if (auto* instance = pick_beyond_first_group(context)) {
    return instance;
  }
  // What answered, if only with an error, is asked again before what was ejected.
  const auto gave_no_answer = [](const InstanceState* state) {
    return state->last_failure != Outcome::kGatewayError;
  };
  if (!context.tried.empty() && std::ranges::all_of(context.tried, gave_no_answer)) {
    const auto usable = [&](const InstanceState& state) {
      return !state.drained && !state.unhealthy && state.tier < static_cast<int>(ordered()) &&
             !is_tried(context.tried, &state);
    };
    if (auto* instance = ejection.soonest_back(usable)) {
      return instance;
    }
  }
  return plan(static_cast<std::size_t>(serving()), context.now)
      .pick({context.now, context.hash, {}, context.lasting}, random);
}

namespace {

/// For about 10 s; what failed before that says nothing about now.
bool failed_lately(const InstanceState& state, TimePoint now) {
  return state.consecutive_failures > 0 && failure_load_at(state, now) > 0;
}

/// It did not serve at all; an instance that answers 503 does.
bool seems_dead(const InstanceState& state, TimePoint now) {
  return failed_lately(state, now) &&
         (state.last_failure == Outcome::kConnectFailure || state.last_failure == Outcome::kReset);
}

}  // namespace

PickContext Cluster::Impl::avoiding(const PickContext& context,
                                    bool (*avoided)(const InstanceState&, TimePoint),
                                    std::vector<InstanceState*>& list) {
  std::erase_if(suspects, [&](const InstanceRef& state) {
    state->suspect = failure_load_at(*state, context.now) > 0;
    return !state->suspect;
  });
  constexpr std::size_t kMost = 256;  // beyond that the search would cost more than a try
  list.assign(context.tried.begin(), context.tried.end());
  for (const auto& state : suspects) {
    if (list.size() < kMost && state->tier >= 0 && avoided(*state, context.now)) {
      list.push_back(state.get());
    }
  }
  PickContext strict = context;
  strict.tried = list;
  return strict;
}

void Cluster::Impl::suspect(InstanceState& instance) {
  if (!instance.suspect) {
    instance.suspect = true;
    suspects.emplace_back(&instance);
  }
}

/// A request that has failed once has no try to spend on an instance that failed a moment ago:
/// where a whole version dies at one moment, the first to notice warn the rest. Its own group comes
/// first all the same, and is left only where everyone in it seems dead. Off the usual way.
InstanceState* Cluster::Impl::spare_suspects(const PickContext& context, InstanceState& chosen) {
  if (!failed_lately(chosen, context.now)) {
    return &chosen;
  }
  std::vector<InstanceState*> clean_list;
  const auto clean = avoiding(context, failed_lately, clean_list);
  if (auto* instance = hot->pick(clean, random)) {
    return instance;
  }
  std::vector<InstanceState*> dead_list;
  if (auto* instance = hot->pick(avoiding(context, seems_dead, dead_list), random)) {
    return instance;
  }
  auto* elsewhere = pick_beyond_first_group(clean);
  const bool drained = elsewhere != nullptr && elsewhere->weight == 0 && chosen.weight > 0;
  return elsewhere == nullptr || drained ? &chosen : elsewhere;
}

/// A retry that has used up the best instances: later groups of the tier, then other tiers (better
/// an older version than an error). After these: an ejected one (it may have recovered, what was
/// tried has just failed), then once more what was tried.
InstanceState* Cluster::Impl::pick_beyond_first_group(const PickContext& context) {
  const auto current = static_cast<std::size_t>(serving());
  if (auto* instance = plan(current, context.now).pick(context, random)) {
    return instance;
  }
  for (std::size_t i = 0; i < ordered(); ++i) {
    if (i == current || counts[i].eligible == 0) {
      continue;
    }
    if (auto* instance = plan(i, context.now).pick(context, random)) {
      return instance;
    }
  }
  return nullptr;
}

InstanceState* Cluster::Impl::pick_wanted(const PickContext& context, bool any) {
  auto* const kept = context.keep;
  if (kept != nullptr && kept->tier >= 0 && !kept->out() && !is_tried(context.tried, kept) &&
      (context.wanted == 0 || in_wanted(*kept, context.wanted))) {
    return kept;
  }
  for (auto rest = context.wanted; rest != 0; rest &= rest - 1) {
    const auto number = static_cast<std::size_t>(std::countr_zero(rest));
    if (number >= tiers.size()) {
      break;
    }
    if (ejection.any_probing() && context.tried.empty()) {
      const auto held = [&](const InstanceState& state) {
        return !state.drained && !state.unhealthy && holds(tiers[number], state);
      };
      if (auto* probe = ejection.due_probe(held)) {
        return probe;
      }
    }
    if (counts[number].eligible == 0) {
      continue;
    }
    std::vector<InstanceState*> list;
    const auto narrowed = any ? context : avoiding(context, failed_lately, list);
    if (auto* instance = plan(number, context.now).pick(narrowed, random)) {
      return instance;
    }
  }
  return nullptr;
}

bool Cluster::Impl::in_wanted(const InstanceState& instance, std::uint64_t wanted) const {
  for (std::size_t i = 0; i < std::min(tiers.size(), kMostTiers); ++i) {
    if ((wanted >> i & 1U) != 0 && holds(tiers[i], instance)) {
      return true;
    }
  }
  return false;
}

int Cluster::Impl::tier_of_pick(const InstanceState& instance, std::uint64_t wanted) const {
  for (; wanted != 0; wanted &= wanted - 1) {
    const auto number = static_cast<std::size_t>(std::countr_zero(wanted));
    if (number < tiers.size() && holds(tiers[number], instance)) {
      return static_cast<int>(number);
    }
  }
  const auto now = serving();
  return now >= 0 && holds(tiers[static_cast<std::size_t>(now)], instance) ? now : instance.tier;
}

bool Cluster::Impl::may_serve(const InstanceState& instance, const PickContext& context) const {
  if (instance.tier < 0 || instance.out()) {
    return false;
  }
  return instance.tier == serving() || &instance == context.keep ||
         (context.wanted != 0 && in_wanted(instance, context.wanted));
}

bool Cluster::Impl::another(std::span<InstanceState* const> tried, std::uint64_t wanted) const {
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    const bool in_order = serving() >= 0 && i < ordered();
    if (!in_order && (i >= kMostTiers || (wanted >> i & 1U) == 0)) {
      continue;
    }
    const bool all = panic && static_cast<int>(i) == serving();
    if (tiers[i].members.size() > tiers[i].barred + tiers[i].drained + tried.size()) {
      return true;
    }
    const auto fresh = [&](const Member& member) {
      return !member.state->drained && (all || !member.state->barred()) &&
             !is_tried(tried, member.state);
    };
    if (std::ranges::any_of(tiers[i].members, fresh)) {
      return true;
    }
  }
  return false;
}

Plan& Cluster::Impl::plan(std::size_t tier, TimePoint now) {
  auto& slot = tiers[tier].plan;
  if (!slot) {
    const bool ignore = panic && static_cast<int>(tier) == serving();
    if (tiers[tier].table) {
      slot.emplace(tiers[tier].members, tiers[tier].table);
      renew_filter(tier, now);
      return *slot;
    }
    slot.emplace(tiers[tier].members, Plan::Settings{options.algorithm, ignore, options.slow_start},
                 now, random);
    if (slot->ramps()) {
      renew_deadline(now);
    }
  }
  return *slot;
}

void Cluster::Impl::started(InstanceState& instance, TimePoint now) {
  ++instance.in_flight;
  ++instance.requests;
  if (instance.probing && !instance.probe_in_flight) {
    ejection.started(instance, now);
    renew_deadline(now);
  }
}

void Cluster::Impl::finished(InstanceState& instance, Outcome outcome, Duration latency,
                             TimePoint now) {
  instance.in_flight -= instance.in_flight > 0 ? 1 : 0;
  if (is_failure(outcome)) {
    ++instance.failures;
    instance.last_failure = outcome;
    add_failure_load(instance, now);
    suspect(instance);
  }
  // A refusal is quick, which must not make its instance look fast; a timeout truly is slow.
  if (outcome == Outcome::kSuccess || outcome == Outcome::kTimeout) {
    instance.latency.add(std::chrono::duration<double>(latency).count(), now);
  }
  judge(instance, outcome, now);
}

void Cluster::Impl::judge(InstanceState& instance, Outcome outcome, TimePoint now) {
  if (instance.tier < 0) {
    return;  // it left: nothing is sent there any more
  }
  const bool used_all_the_same = panic && holds(serving_tier(), instance);
  const auto effect = ejection.on_outcome(instance, outcome, used_all_the_same, now,
                                          [&] { return may_eject(instance); });
  switch (effect) {
    case Ejection::Effect::kNone: return;
    case Ejection::Effect::kProbeOver: renew_deadline(now); return;
    case Ejection::Effect::kShareSpent:
      if (instance.consecutive_failures == options.eject.consecutive) {
        events.notes.push_back(
            instance.name + " failed " + std::to_string(instance.consecutive_failures) +
            " times in a row but stays: max_share (" +
            std::to_string(options.eject.max_share_percent) + "%) of its tier is ejected already");
      }
      return;
    case Ejection::Effect::kEjected: events.ejected.emplace_back(&instance); break;
    case Ejection::Effect::kReturned: events.returned.emplace_back(&instance); break;
  }
  refresh(now);
}

bool Cluster::Impl::holds(const Tier& tier, const InstanceState& instance) const {
  return row_of(tier.answer, instance.endpoint).has_value();
}

/// max_share of every tier that has it, but at least one may go. What was ejected stays so when a
/// later, smaller answer pushes the share above the limit.
bool Cluster::Impl::may_eject(const InstanceState& instance) {
  return std::ranges::all_of(tiers, [&](const Tier& tier) {
    if (!holds(tier, instance)) {
      return true;
    }
    const auto ejected = ejected_in(tier);
    const auto most = (tier.members.size() - tier.drained) * options.eject.max_share_percent / 100;
    return ejected < std::max<std::size_t>(most, 1);
  });
}

InstanceState* Cluster::pick(const PickContext& context) {
  return impl_->pick(context);
}
bool Cluster::another(std::span<InstanceState* const> tried, std::uint64_t wanted) const {
  return impl_->another(tried, wanted);
}
int Cluster::tier_of_pick(const InstanceState& instance, std::uint64_t wanted) const {
  return impl_->tier_of_pick(instance, wanted);
}
bool Cluster::may_serve(const InstanceState& instance, const PickContext& context) const {
  return impl_->may_serve(instance, context);
}
std::uint64_t Cluster::draw_share() {
  const auto tier = impl_->split.any() ? impl_->split.next() : Split::kNone;
  return tier < kMostTiers ? std::uint64_t{1} << tier : 0;
}
void Cluster::started(InstanceState& instance, TimePoint now) {
  impl_->started(instance, now);
}
void Cluster::finished(InstanceState& instance, Outcome outcome, Duration latency, TimePoint now) {
  impl_->finished(instance, outcome, latency, now);
}
void Cluster::reached(InstanceState& instance, TimePoint now) {
  impl_->judge(instance, Outcome::kSuccess, now);
}

}  // namespace pilotfish::balancer
