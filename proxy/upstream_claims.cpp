// Which tiers a connection or request waits for before it is routed.
#include <algorithm>

#include "proxy/upstream.hpp"

namespace pilotfish::proxy {
namespace {

constexpr Duration kLookupWhileRequestsFlow = std::chrono::seconds(1);

}  // namespace

Claim Upstream::claim(TimePoint now) {
  const auto serving = pending_ ? -1 : cluster_.serving_tier();
  // A request may want any tier, and its head is not here yet.
  const bool any = !options_.choose_by.empty() || !options_.sticky.cookie.empty();
  Claim claim;
  claim.epoch = epoch_;
  claim.last_tier = serving < 0 || any ? ordered_tiers() - 1 : static_cast<std::size_t>(serving);
  if (!options_.enabled) {
    claim.last_tier = ordered_tiers() - 1;
    return claim;
  }
  claim.ticket = resolver_->arrive(0, claim.last_tier, now);
  const auto all = resolver_->tier_count();
  for (std::size_t tier = claim.last_tier + 1; tier < all; ++tier) {
    if (tier >= ordered_tiers() || has_share(tier)) {
      const auto more = resolver_->arrive(tier, tier, now);
      auto& needs = claim.ticket.needs;
      needs.insert(needs.end(), more.needs.begin(), more.needs.end());
    }
  }
  return claim;
}

std::size_t Upstream::ordered_tiers() const {
  return std::min(roles_.ordered, resolver_->tier_count());
}

bool Upstream::is_covered(const Claim& claim) const {
  if (!options_.enabled) {
    return true;
  }
  return claim.epoch == epoch_ && resolver_->satisfied(claim.ticket) &&
         (claim.last_tier + 1 >= ordered_tiers() || cluster_.enough_up_to(claim.last_tier));
}

net::Awaitable<void> Upstream::covered(Claim claim, const bool& gone) {
  while (options_.enabled && !gone) {
    if (claim.epoch != epoch_) {
      claim = this->claim(Clock::now());  // a reload brought another source: that one is asked
    }
    (void)co_await resolver_->wait(claim.ticket, gone);
    if (claim.epoch != epoch_) {
      continue;
    }
    if (claim.last_tier + 1 >= ordered_tiers() || cluster_.enough_up_to(claim.last_tier)) {
      co_return;
    }
    ++claim.last_tier;
    claim.ticket = resolver_->arrive(claim.last_tier, claim.last_tier, Clock::now());
  }
}

void Upstream::request_flows(TimePoint now) {
  if (options_.enabled && now - resolver_->last_lookup_started() > kLookupWhileRequestsFlow) {
    (void)claim(now);
  }
}

}  // namespace pilotfish::proxy
