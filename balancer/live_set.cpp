#include "balancer/live_set.hpp"

#include <algorithm>

namespace pilotfish::balancer {

namespace {

constexpr Duration kMemory = std::chrono::minutes(10);

void add_tags(InstanceState& state, const InstanceList* answer) {
  if (answer == nullptr) {
    return;
  }
  const auto found = std::ranges::lower_bound(*answer, state.endpoint, {}, &Instance::endpoint);
  if (found == answer->end() || found->endpoint != state.endpoint || found->tags.empty()) {
    return;
  }
  state.tags.insert(state.tags.end(), found->tags.begin(), found->tags.end());
  std::ranges::sort(state.tags);
  const auto repeated = std::ranges::unique(state.tags);
  state.tags.erase(repeated.begin(), repeated.end());
}

}  // namespace

InstanceState& LiveSet::obtain(const Endpoint& endpoint) {
  auto& slot = known_[endpoint];
  if (!slot) {
    slot.reset(new InstanceState(endpoint));  // NOLINT: counted from here on
  }
  return *slot;
}

LiveSet::Changes LiveSet::assign(std::span<const TierView> tiers, TimePoint now) {
  Changes changes;
  ++generation_;
  std::vector<InstanceRef> before;
  before.swap(present_);
  int number = 0;
  for (const auto& tier : tiers) {
    for (const auto& member : tier.members) {
      auto& state = *member.state;
      if (state.generation != generation_) {
        state.generation = generation_;
        if (state.tier < 0) {
          state.first_seen = now;
          state.ramps = tier.ramps;
          // The registry speaks for it anew: what failed before it left must not starve it.
          state.failure_load = 0;
          // Its latency (the seed, if it is new) counts as measured now, and fades from here.
          state.latency.add(state.latency.value(), now);
          changes.arrived.emplace_back(&state);
        }
        state.tier = number;
        state.weight = member.weight;
        state.priority = member.priority;
        state.tags.clear();
        present_.emplace_back(&state);
      }
      add_tags(state, tier.answer);
    }
    ++number;
  }
  for (auto& state : before) {
    if (state->generation == generation_) {
      continue;
    }
    state->tier = -1;
    state->left_at = now;
    departed_.push_back({state, now, now + kMemory});
    changes.departed.push_back(std::move(state));
  }
  while (departed_.size() > kMaxDeparted) {
    drop_oldest();
  }
  return changes;
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
