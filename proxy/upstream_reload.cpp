// An upstream whose configuration changes while requests run.
#include <algorithm>

#include "proxy/tier_identity.hpp"
#include "proxy/upstream.hpp"

namespace pilotfish::proxy {

void Upstream::reconfigure(UpstreamOptions options, bool registry_changed) {
  const auto now = Clock::now();
  const bool ask_anew = registry_changed || options.source != options_.source ||
                        options.fresh != options_.fresh || options.lookup != options_.lookup;
  const bool other_protocol = options.protocol != options_.protocol;
  options_ = std::move(options);
  leaving_ = false;
  cluster_.set_options(options_.cluster, now);
  budget_.set_percent(options_.retry.budget_percent);
  apply_limits();
  if (other_protocol) {
    for (auto& link : pools_) {
      link.close_all();
    }
  }
  if (ask_anew) {
    change_source(now);
  }
  publish_events();
  check_anew();
}

void Upstream::change_source(TimePoint now) {
  Pending fresh;
  fresh.identities = tier_identities(options_.source, worker_.shared.consul_dns.domain);
  fresh.since = now;
  const auto names = resolver::tier_names(options_.source);
  const auto from = match_tiers(tier_identities_, fresh.identities);
  for (std::size_t i = 0; i < names.size(); ++i) {
    fresh.tiers.push_back({names[i], from[i], std::nullopt});
  }
  const auto serving = cluster_.serving_tier();
  if (serving < 0 || std::ranges::find(from, serving) != from.end()) {
    cluster_.set_tiers(fresh.tiers, now);
    tier_identities_ = std::move(fresh.identities);
    pending_.reset();
  } else {
    pending_ = std::move(fresh);
  }
  ++epoch_;
  prepared_.clear();
  failing_tiers_.clear();
  absent_tiers_.clear();
  cause_.clear();
  // Made before the former one goes: names that both ask for keep what they know.
  const auto former = std::exchange(resolver_, make_resolver());
  if (serving >= 0) {
    resolver_->assume_good();
  }
  resolver_->start();
  former->stop();
}

bool Upstream::settle_pending(TimePoint now) {
  if (!pending_) {
    return false;
  }
  auto& tiers = pending_->tiers;
  const bool any = std::ranges::any_of(tiers, [](const auto& tier) {
    return tier.answer && !is_failure(tier.answer->result) && !tier.answer->instances.empty();
  });
  const bool all_empty = std::ranges::all_of(
      tiers, [](const auto& tier) { return tier.answer && !is_failure(tier.answer->result); });
  if (!any && !(all_empty && now - pending_->since >= options_.cluster.fallback.hold_empty)) {
    return false;
  }
  for (std::size_t tier = 0; tier < tiers.size(); ++tier) {
    tiers[tier].prepared = take_prepared(tier);
  }
  cluster_.set_tiers(tiers, now);
  tier_identities_ = std::move(pending_->identities);
  pending_.reset();
  return true;
}

}  // namespace pilotfish::proxy
