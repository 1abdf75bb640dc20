#include <algorithm>
#include <chrono>
#include <string>
#include <tuple>

#include "balancer/cluster_impl.hpp"
#include "balancer/slow_start.hpp"

namespace pilotfish::balancer {

namespace {

std::string seconds_text(Duration time) {
  using namespace std::chrono;
  const auto millis = duration_cast<milliseconds>(time).count();
  return millis % 1000 == 0 || millis >= 10000 ? std::to_string((millis + 999) / 1000) + " s"
                                               : std::to_string(millis) + " ms";
}

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

/// " (1 ejected, 2 drained)"; nothing where nobody is.
std::string left_out(const TierCounts& counts) {
  std::string text;
  for (const auto& [count, what] :
       {std::pair(counts.ejected, " ejected"), std::pair(counts.unhealthy, " unhealthy"),
        std::pair(counts.drained, " drained")}) {
    if (count > 0) {
      text += (text.empty() ? " (" : ", ") + std::to_string(count) + what;
    }
  }
  return text.empty() ? text : text + ")";
}

/// What all are where that is ignored.
std::string barred_text(const TierCounts& counts) {
  return counts.unhealthy == 0 ? "ejected"
         : counts.ejected == 0 ? "unhealthy"
                               : "ejected or unhealthy";
}

}  // namespace

std::string Cluster::Impl::tier_text(std::size_t tier) const {
  return "tier " + std::to_string(tier) + " (" + names[tier] + ")";
}

/// The present state in one line: why not the better tiers, who serves, with how many, and what
/// goes wrong beside it.
std::string Cluster::Impl::explain() const {
  std::string text;
  if (serving() < 0) {
    std::size_t drained = 0;
    for (std::size_t i = 0; i < ordered(); ++i) {
      drained += counts[i].drained;
    }
    if (drained > 0) {
      return "all that is left, " + counted(drained, "instance") +
             ", is drained by configuration: none serves" + explain_shares() + explain_failures();
    }
    if (selection.ever_served()) {
      return "every tier was empty for longer than hold_empty (" +
             seconds_text(options.fallback.hold_empty) + "): none serves" + explain_shares() +
             explain_failures();
    }
    for (std::size_t i = 0; i < ordered(); ++i) {
      text += (i == 0 ? "" : ", ") + tier_text(i) +
              (tiers[i].answered ? " is empty" : " has not answered yet");
    }
    return text + ": none serves" + explain_shares() + explain_failures();
  }
  const auto current = static_cast<std::size_t>(serving());
  const auto& tier = tiers[current];
  if (selection.holding()) {
    return "every tier is empty: the last good set of " + tier_text(current) + ", " +
           counted(tier.members.size(), "instance") + ", is held for " +
           seconds_text(options.fallback.hold_empty) + explain_failures();
  }
  for (std::size_t i = 0; i < ordered() && (i < current || !selection.enough(current)); ++i) {
    if (i == current) {
      continue;
    }
    text += tier_text(i) + " has " + std::to_string(counts[i].healthy) + " of " +
            std::to_string(selection.needed(i)) + " needed instances";
    text += left_out(counts[i]);
    if (selection.enough(i)) {
      text += " again and waits for " + seconds_text(options.fallback.fail_back_after) +
              " of unbroken health";
    }
    text += "; ";
  }
  const auto& sum = counts[current];
  text += tier_text(current) + " serves with ";
  if (panic) {
    text += counted(sum.size, "instance") + " although all are " + barred_text(sum) +
            ": no tier has a better one";
  } else {
    text += std::to_string(sum.eligible);
    text += sum.ejected + sum.unhealthy + sum.drained > 0
                ? " of " + counted(sum.size + sum.drained, "instance") + left_out(sum)
                : std::string(sum.size == 1 ? " instance" : " instances");
  }
  if (!selection.enough(current)) {
    text += ", fewer than the " + std::to_string(selection.needed(current)) + " needed";
  }
  return text + explain_shares() + explain_failures();
}

std::string Cluster::Impl::explain_shares() const {
  std::string text;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    if (const auto share = share_of(i); share > 0) {
      text += "; split: " + std::to_string(share / 10);
      text += share % 10 > 0 ? "." + std::to_string(share % 10) : "";
      text += " % to " + tier_text(i) + ", " + counted(counts[i].eligible, "instance") +
              left_out(counts[i]);
    }
  }
  return text;
}

std::string Cluster::Impl::explain_failures() const {
  std::string text;
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    if (tiers[i].failing) {
      text += "; the last lookup of " + tier_text(i) + " failed (" +
              std::string(to_string(*tiers[i].failing)) + ")" +
              (tiers[i].answered ? ", its last good answer stays" : "");
    }
  }
  return text;
}

std::string Cluster::Impl::why(const InstanceState& instance, TimePoint now) const {
  if (instance.tier < 0) {
    const auto left = "left the registry's answer " + seconds_text(now - instance.left_at) + " ago";
    return instance.in_flight == 0 ? left
                                   : left + ": finishes " + counted(instance.in_flight, "request");
  }
  if (instance.drained) {
    const auto* entry = live.drained_by(instance.endpoint);
    const auto by =
        "drained by configuration (drain: " + (entry == nullptr ? instance.name : entry->by) + ")";
    return instance.in_flight == 0 ? by
                                   : by + ": finishes " + counted(instance.in_flight, "request");
  }
  const bool used = panic && holds(tiers[static_cast<std::size_t>(serving())], instance);
  const std::string all_the_same = used ? "; used all the same, for want of others" : "";
  if (instance.unhealthy) {
    const auto verdict = verdicts.find(instance.endpoint);
    return (verdict == verdicts.end() ? "" : verdict->second) + all_the_same;
  }
  if (instance.ejected) {
    const auto times = instance.ejections > 1
                           ? ", for the " + std::to_string(instance.ejections) + ". time"
                           : std::string();
    std::string text;
    if (instance.probe_in_flight) {
      text = "ejection over" + times + ": its probe request is out";
    } else if (instance.probing) {
      text = "ejection over" + times + ": the next request probes it";
    } else {
      text = "ejected for another " + seconds_text(instance.ejected_until - now) + " after " +
             counted(instance.consecutive_failures, "failure") +
             " in a row, the last: " + std::string(describe(instance.last_failure)) + times;
    }
    return text + all_the_same;
  }
  for (std::size_t i = 0; i < tiers.size(); ++i) {
    if (share_of(i) > 0 && static_cast<int>(i) != serving() && holds(tiers[i], instance)) {
      return "";  // it gets its share, whoever serves
    }
  }
  if (serving() < 0) {
    return "no tier serves";
  }
  const auto& tier = tiers[static_cast<std::size_t>(serving())];
  const auto row = row_of(tier.answer, instance.endpoint);
  if (!row) {
    return tier_text(static_cast<std::size_t>(serving())) + " serves";
  }
  const auto* place = &tier.members[*row];
  if (!tier.plan || tier.plan->empty()) {
    return "";
  }
  if (place->weight == 0 && !tier.plan->first_weighs_nothing()) {
    return "weight 0: used only when nothing else is left";
  }
  if (place->priority > tier.plan->first_priority()) {
    return "priority " + std::to_string(place->priority) + " waits behind priority " +
           std::to_string(tier.plan->first_priority());
  }
  if (ramping(instance, options.slow_start, now)) {
    return "slow start: picked at " +
           std::to_string(ramp_percent(instance, options.slow_start, now)) +
           " % of its weight so far";
  }
  return "";
}

std::string Cluster::Impl::ejection_text(const InstanceState& instance) const {
  std::string text = counted(instance.consecutive_failures, "failure") +
                     " in a row, the last: " + std::string(describe(instance.last_failure)) +
                     "; out for " + seconds_text(instance.ejected_until - instance.ejected_since) +
                     ", then one request probes it";
  if (instance.ejections > 1) {
    text += " (its " + std::to_string(instance.ejections) + ". ejection in a row)";
  }
  if (instance.tier >= 0) {
    const auto& tier = tiers[static_cast<std::size_t>(instance.tier)];
    const auto size = tier.members.size() - tier.drained;
    text += "; " + std::to_string(ejected_in(tier)) + " of " + counted(size, "instance") + " of " +
            tier_text(static_cast<std::size_t>(instance.tier)) + " now out, at most " +
            std::to_string(options.eject.max_share_percent) + " % (and one) may be";
  }
  return text;
}

std::string_view describe(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSuccess: return "success";
    case Outcome::kConnectFailure: return "no connection";
    case Outcome::kReset: return "connection broken before a whole, valid answer";
    case Outcome::kGatewayError: return "answered 502, 503 or 504";
    case Outcome::kTimeout: return "no answer within request_timeout";
    case Outcome::kNeutral: return "client gone";
  }
  return "unknown";
}

std::vector<InstanceView> Cluster::Impl::view(TimePoint now) const {
  std::vector<InstanceView> out;
  for (const auto& state : live.present()) {
    out.push_back({state,
                   state->drained     ? "draining"
                   : state->unhealthy ? "unhealthy"
                   : state->ejected   ? "ejected"
                                      : "healthy",
                   why(*state, now)});
  }
  live.each_departed([&](const InstanceRef& state) {
    if (state->in_flight > 0) {
      out.push_back({state, "draining", why(*state, now)});
    } else if (now - state->left_at < std::chrono::minutes(1)) {
      out.push_back({state, "absent", why(*state, now)});
    }
  });
  std::ranges::stable_sort(out, {}, [](const InstanceView& each) {
    return std::tuple(each.state->tier < 0, each.state->tier, each.state->endpoint);
  });
  return out;
}

void Cluster::Impl::note_transitions(bool held_before, bool panicked_before) {
  if (selection.holding() != held_before && selection.holding()) {
    events.notes.push_back(reason);
  } else if (held_before && serving() >= 0 && !selection.holding()) {
    events.notes.push_back("instances are back before the hold ended: " + reason);
  }
  if (panic != panicked_before) {
    const std::string over = verdicts.empty() ? "ejection counts again: " : "not all are out now: ";
    events.notes.push_back(panic ? reason : over + reason);
  }
}

std::string Cluster::ejection_text(const InstanceState& instance) const {
  return impl_->ejection_text(instance);
}

Cluster::Tally Cluster::tally(TimePoint now) const {
  Tally out;
  out.ejected = static_cast<std::size_t>(
      std::ranges::count_if(impl_->ejection.ejected(), [](const InstanceState* state) {
        return !state->drained && !state->unhealthy && state->place != InstanceState::kNowhere;
      }));
  out.unhealthy = static_cast<std::size_t>(std::ranges::count_if(
      impl_->unhealthy, [](const InstanceState* state) { return !state->drained; }));
  out.draining = impl_->live.drained().size();
  out.healthy = impl_->live.present().size() - out.ejected - out.unhealthy - out.draining;
  impl_->live.each_departed([&](const InstanceRef& state) {
    out.draining += state->in_flight > 0 ? 1 : 0;
    out.absent += state->in_flight == 0 && now - state->left_at < std::chrono::minutes(1) ? 1 : 0;
  });
  return out;
}

std::vector<InstanceView> Cluster::view(TimePoint now) const {
  return impl_->view(now);
}

}  // namespace pilotfish::balancer
