#include "balancer/tier_selection.hpp"

#include <algorithm>

namespace pilotfish::balancer {

std::string_view to_string(TierReason reason) {
  switch (reason) {
    case TierReason::kStart: return "start";
    case TierReason::kTooFew: return "too_few";
    case TierReason::kFailBack: return "fail_back";
    case TierReason::kBestOfBad: return "best_of_bad";
    case TierReason::kAllEmpty: return "all_empty";
    case TierReason::kRecovered: return "recovered";
  }
  return "unknown";
}

TierSelection::TierSelection(std::size_t tiers, FallbackOptions options)
    : options_(options), tiers_(tiers) {}

std::optional<TierSelection::Change> TierSelection::update(std::span<const TierCounts> counts,
                                                           const std::vector<bool>& answered,
                                                           TimePoint now) {
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    judge(tiers_[i], counts[i], answered[i], now);
  }
  Change change{serving_, serving_, TierReason::kAllEmpty};
  if (std::ranges::any_of(counts, [](const TierCounts& tier) { return tier.size > 0; })) {
    hold_since_.reset();
    change = choose(counts, now);
  } else if (serving_ >= 0) {
    if (!hold_since_) {
      hold_since_ = now;
    }
    if (now >= hold_end() || counts[static_cast<std::size_t>(serving_)].drained > 0) {
      hold_since_.reset();
      change.to = -1;
    }
  }
  if (change.to == change.from) {
    return std::nullopt;
  }
  serving_ = change.to;
  ever_served_ = true;
  return change;
}

void TierSelection::judge(Tier& tier, const TierCounts& counts, bool answered,
                          TimePoint now) const {
  const bool first_answer = answered && !tier.answered;
  tier.answered = answered;
  tier.sizes.set(counts.size, now);
  const auto& minimum = options_.min_healthy;
  const std::size_t wanted =
      minimum.percent ? (tier.sizes.largest(now) * minimum.value + 99) / 100 : minimum.value;
  tier.needed = std::max<std::size_t>(wanted, 1);
  if (counts.healthy < tier.needed) {
    tier.healthy_since.reset();
    tier.from_start = false;
  } else if (!tier.healthy_since) {
    tier.healthy_since = now;
    tier.from_start = first_answer;
  }
}

bool TierSelection::matured(const Tier& tier, TimePoint now) const {
  return tier.healthy_since &&
         (tier.from_start || now - *tier.healthy_since >= options_.fail_back_after);
}

TierSelection::Change TierSelection::choose(std::span<const TierCounts> counts,
                                            TimePoint now) const {
  const auto count = static_cast<int>(tiers_.size());
  const auto tier = [this](int i) -> const Tier& { return tiers_[static_cast<std::size_t>(i)]; };
  const bool serving_enough = serving_ >= 0 && tier(serving_).healthy_since.has_value();
  const auto because = [&](int to, TierReason reason) {
    if (serving_ < 0) {
      reason = ever_served_ ? TierReason::kRecovered : TierReason::kStart;
    } else if (to < serving_ && tier(to).from_start) {
      reason = TierReason::kStart;
    }
    return Change{serving_, to, reason};
  };

  const int last = serving_enough ? serving_ : count;
  for (int i = 0; i < last; ++i) {
    if (tier(i).healthy_since && (i > serving_ || matured(tier(i), now))) {
      return because(i, serving_enough ? TierReason::kFailBack : TierReason::kTooFew);
    }
  }
  if (serving_enough) {
    return {serving_, serving_, TierReason::kFailBack};
  }
  for (int i = 0; i < count; ++i) {
    if (tier(i).healthy_since) {
      return because(i, TierReason::kTooFew);
    }
  }
  for (const auto some : {&TierCounts::healthy, &TierCounts::eligible, &TierCounts::size}) {
    const auto best =
        std::ranges::find_if(counts, [some](const TierCounts& each) { return each.*some > 0; });
    if (best != counts.end()) {
      return because(static_cast<int>(best - counts.begin()), TierReason::kBestOfBad);
    }
  }
  return {serving_, serving_, TierReason::kBestOfBad};
}

void TierSelection::set_tiers(std::span<const int> from) {
  std::vector<Tier> tiers(from.size());
  int serving = -1;
  const auto known = static_cast<int>(tiers_.size());
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] >= 0 && from[i] < known) {
      tiers[i] = std::move(tiers_[static_cast<std::size_t>(from[i])]);
      serving = from[i] == serving_ ? static_cast<int>(i) : serving;
    }
  }
  tiers_ = std::move(tiers);
  for (int i = 0; i < serving; ++i) {
    auto& tier = tiers_[static_cast<std::size_t>(i)];
    tier.from_start = tier.from_start || from[static_cast<std::size_t>(i)] > serving_;
  }
  if (serving < 0) {
    hold_since_.reset();
    ever_served_ = false;
  }
  serving_ = serving;
}

TimePoint TierSelection::hold_end() const {
  return hold_since_ ? *hold_since_ + options_.hold_empty : TimePoint::max();
}

TimePoint TierSelection::next_deadline() const {
  TimePoint next = hold_end();
  for (std::size_t i = 0; i < tiers_.size(); ++i) {
    if (static_cast<int>(i) < serving_ && tiers_[i].healthy_since) {
      next = std::min(next, *tiers_[i].healthy_since + options_.fail_back_after);
    }
    if (options_.min_healthy.percent) {
      next = std::min(next, tiers_[i].sizes.next_change());
    }
  }
  return next;
}

}  // namespace pilotfish::balancer
