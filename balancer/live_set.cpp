#include "balancer/live_set.hpp"

#include <algorithm>
#include <utility>

namespace pilotfish::balancer {

namespace {

constexpr Duration kMemory = std::chrono::minutes(10);

void add_tags(InstanceState& state, const std::vector<std::string>& tags) {
  if (tags.empty()) {
    return;
  }
  state.tags.insert(state.tags.end(), tags.begin(), tags.end());
  std::ranges::sort(state.tags);
  const auto repeated = std::ranges::unique(state.tags);
  state.tags.erase(repeated.begin(), repeated.end());
}

void name_it(InstanceState& state, const std::string& host) {
  state.named = host.empty() ? "" : host + ":" + std::to_string(state.endpoint.port);
}

}  // namespace

LiveSet::TierView::Place LiveSet::TierView::find(const Endpoint& endpoint) const {
  if (const auto row = row_of(*answer, endpoint)) {
    return {&members[*row], &(*answer)[*row]};
  }
  const auto row = coming_answer == nullptr ? std::nullopt : row_of(*coming_answer, endpoint);
  if (!row || coming[*row].state == nullptr) {
    return {};
  }
  return {&coming[*row], &(*coming_answer)[*row]};
}

InstanceState& LiveSet::obtain(const Endpoint& endpoint) {
  auto& slot = known_[endpoint];
  if (!slot) {
    slot.reset(new InstanceState(endpoint));  // NOLINT: counted from here on
  }
  return *slot;
}

void LiveSet::arrive(InstanceState& state, bool ramps, TimePoint now, Changes& changes) {
  state.first_seen = now;
  state.ramps = ramps;
  newest_ = ramps ? now : newest_;
  // The registry speaks for it anew: what failed before it left must not starve it.
  state.failure_load = 0;
  // Its latency (the seed, if it is new) counts as measured now, and fades from here.
  state.latency.add(state.latency.value(), now);
  if (state.place == InstanceState::kNowhere) {
    state.place = present_.size();
    present_.emplace_back(&state);
  }
  changes.arrived.emplace_back(&state);
}

void LiveSet::settle(InstanceState& state, std::span<const TierView> tiers, TimePoint now,
                     Changes& changes, std::size_t not_in) {
  bool held = false;
  const bool was_apart = std::exchange(state.apart, false);
  for (std::size_t number = 0; number < tiers.size(); ++number) {
    if (number == not_in) {
      continue;
    }
    const auto& tier = tiers[number];
    const auto place = tier.find(state.endpoint);
    if (place.member == nullptr) {
      continue;
    }
    if (!held) {
      held = true;
      if (state.tier < 0) {
        arrive(state, tier.ramps, now, changes);
      }
      state.tier = static_cast<int>(number);
      state.weight = place.member->weight;
      state.priority = place.member->priority;
      state.tags.clear();
      name_it(state, place.instance->host);
    }
    state.apart = state.apart || tier.shared;
    add_tags(state, place.instance->tags);
  }
  apart_changes_ += state.apart == was_apart ? 0 : 1;
  mark(state, held && drained_by(state.endpoint) != nullptr);
  if (!held && state.tier >= 0) {
    state.tier = -1;
    state.left_at = now;
    leaving_.emplace_back(&state);
  }
}

LiveSet::Changes LiveSet::settle_all(std::span<const TierView> tiers, TimePoint now) {
  Changes changes;
  ++generation_;
  for (const auto& tier : tiers) {
    for (const auto& member : tier.members) {
      if (std::exchange(member.state->generation, generation_) != generation_) {
        settle(*member.state, tiers, now, changes);
      }
    }
  }
  const auto before = present_;
  for (const auto& state : before) {
    if (state->generation != generation_) {
      settle(*state, tiers, now, changes);
    }
  }
  return changes;
}

void LiveSet::mark(InstanceState& state, bool drained) {
  if (std::exchange(state.drained, drained) == drained) {
    return;
  }
  if (drained) {
    drained_.emplace_back(&state);
  } else {
    std::erase(drained_, InstanceRef(&state));
  }
}

const DrainList::Entry* LiveSet::drained_by(const Endpoint& endpoint) const {
  const auto& all = drain_.entries;
  const auto found = std::ranges::lower_bound(all, endpoint, {}, &DrainList::Entry::endpoint);
  return found == all.end() || found->endpoint != endpoint ? nullptr : &*found;
}

std::vector<InstanceRef> LiveSet::set_drain(DrainList drain) {
  std::vector<InstanceRef> fresh;
  drain_ = std::move(drain);
  std::ranges::stable_sort(drain_.entries, {}, &DrainList::Entry::endpoint);
  drained_.clear();
  for (const auto& state : present_) {
    const bool drained = state->tier >= 0 && drained_by(state->endpoint) != nullptr;
    if (drained) {
      drained_.push_back(state);
    }
    if (!std::exchange(state->drained, drained) && drained) {
      fresh.push_back(state);
    }
  }
  return fresh;
}

void LiveSet::finish(std::size_t most, Changes& changes) {
  for (; most > 0 && !leaving_.empty(); --most) {
    auto state = std::move(leaving_.front());
    leaving_.pop_front();
    if (state->tier >= 0 || state->place == InstanceState::kNowhere) {
      continue;  // it is back, or stands here twice
    }
    present_.back()->place = state->place;
    std::swap(present_[state->place], present_.back());
    present_.pop_back();
    state->place = InstanceState::kNowhere;
    departed_.push_back({state, state->left_at, state->left_at + kMemory});
    changes.departed.push_back(std::move(state));
    if (departed_.size() > kMaxDeparted) {
      drop_oldest();
    }
  }
}

void LiveSet::drop_oldest() {
  const auto& oldest = departed_.front();
  if (current(oldest)) {
    const auto found = known_.find(oldest.state->endpoint);
    if (found != known_.end() && found->second == oldest.state) {
      known_.erase(found);
    }
  }
  departed_.pop_front();
}

void LiveSet::forget(TimePoint now) {
  while (!departed_.empty() && departed_.front().until <= now) {
    if (current(departed_.front()) && departed_.front().state->in_flight > 0) {
      auto busy = std::move(departed_.front());
      departed_.pop_front();
      busy.until = now + kMemory;
      departed_.push_back(std::move(busy));
    } else {
      drop_oldest();
    }
  }
}

TimePoint LiveSet::next_deadline() const {
  return departed_.empty() ? TimePoint::max() : departed_.front().until;
}

}  // namespace pilotfish::balancer
