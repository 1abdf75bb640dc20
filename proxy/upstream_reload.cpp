// An upstream whose configuration changes while requests run.
#include <algorithm>
#include <span>

#include "proxy/tier_identity.hpp"
#include "proxy/upstream.hpp"

namespace pilotfish::proxy {

void Upstream::reconfigure(UpstreamOptions options, bool registry_changed) {
  const auto now = Clock::now();
  const bool other_source = asked_source(options.source, options.cluster.split) !=
                            asked_source(options_.source, options_.cluster.split);
  const bool ask_anew = registry_changed || other_source || options.source != options_.source ||
                        options.fresh != options_.fresh || options.lookup != options_.lookup;
  const bool other_shares = options.cluster.split != options_.cluster.split;
  const bool other_drain = options.drain != options_.drain || options.fresh != options_.fresh;
  const bool other_protocol = options.protocol != options_.protocol;
  if (options.enabled != options_.enabled) {
    ++epoch_;  // who came before has asked for nothing
  }
  options_ = std::move(options);
  leaving_ = false;
  roles_ = tier_roles(options_.source, options_.cluster.split);
  cluster_.set_options(options_.cluster, now);
  if (other_drain) {
    drained_.set_entries(options_.drain);
    cluster_.set_drain(drained_.list(), now);
    warn_of_nodes();
  }
  set_selects(now);
  if (other_shares && !ask_anew && !pending_) {
    cluster_.set_shares(roles_.shares, now);
  }
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
  const auto asked = asked_source(options_.source, options_.cluster.split);
  fresh.identities = tier_identities(asked, worker_.shared.consul_dns.domain);
  fresh.since = now;
  const auto names = tier_names(options_.source, options_.cluster.split);
  fresh.names = TierNames(asked);
  const auto from = match_tiers(tier_identities_, fresh.identities);
  for (std::size_t i = 0; i < names.size(); ++i) {
    fresh.tiers.push_back({names[i], from[i], std::nullopt});
  }
  const auto serving = cluster_.serving_tier();
  const auto in_order = std::span(from).first(std::min(roles_.ordered, from.size()));
  if (serving < 0 || std::ranges::find(in_order, serving) != in_order.end()) {
    take_tiers(fresh, now);
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
  take_tiers(*pending_, now);
  pending_.reset();
  return true;
}

void Upstream::take_tiers(Pending& fresh, TimePoint now) {
  cluster_.set_tiers(fresh.tiers, now, roles_);
  tier_identities_ = std::move(fresh.identities);
  names_ = std::move(fresh.names);
  ++tiers_turn_;
  std::vector<resolver::WatchKey> heard;
  const auto asked = asked_source(options_.source, options_.cluster.split);
  const auto* consul = std::get_if<resolver::ConsulSource>(&asked);
  if (consul != nullptr && options_.fresh == resolver::Freshness::kWatch) {
    heard = resolver::watch_keys(*consul);
  }
  if (drained_.keep_watches(heard)) {
    cluster_.set_drain(drained_.list(), now);
  }
}

void Upstream::set_selects(TimePoint now) {
  const bool sticks = !options_.sticky.cookie.empty();
  const bool splits = std::ranges::any_of(roles_.shares, [](auto share) { return share > 0; });
  selects_ = sticks || splits || !options_.choose_by.empty();
  sticky_.clear();
  if (!sticks) {
    return;
  }
  for (const auto& view : cluster_.view(now)) {
    if (view.state->tier >= 0) {
      sticky_.add(options_.name, *view.state);
    }
  }
}

void Upstream::warn_of_nodes() {
  if (options_.fresh == resolver::Freshness::kWatch) {
    return;
  }
  for (const auto& node : drained_.nodes()) {
    worker_.log().warn(
        "drain: DNS does not say what runs on a node, so this entry does nothing; "
        "it needs fresh: watch",
        {{"upstream", options_.name}, {"node", node}});
  }
}

}  // namespace pilotfish::proxy
