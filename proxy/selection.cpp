#include "proxy/selection.hpp"

#include <algorithm>

#include "http/head.hpp"

namespace pilotfish::proxy {
namespace {

std::vector<std::string> sorted(std::vector<std::string> tags) {
  std::ranges::sort(tags);
  return tags;
}

/// The tier that asks for these tags and nothing else; the number of tiers where none does.
std::size_t place_of(const std::vector<std::string>& tags, const resolver::ConsulSource& source) {
  const auto found = std::ranges::find_if(source.tiers, [&](const resolver::ConsulTier& tier) {
    return tier == resolver::ConsulTier(tier.tags) && sorted(tier.tags) == sorted(tags);
  });
  return static_cast<std::size_t>(found - source.tiers.begin());
}

}  // namespace

std::string disabled_text(const std::string& upstream) {
  return "disabled by configuration (enabled: false of " + upstream + ")";
}

std::string_view describe(Wish wish) {
  switch (wish) {
    case Wish::kNone: break;
    case Wish::kShare: return "its share of split";
    case Wish::kHeader: return "named by choose_by";
    case Wish::kCookie: return "kept by its sticky cookie";
    case Wish::kRetry: return "a retry: of the tier that serves all were tried";
    case Wish::kProbe: return "a probe: its ejection is over";
  }
  return {};
}

resolver::Source asked_source(const resolver::Source& source,
                              const std::vector<balancer::SplitShare>& split) {
  auto out = source;
  auto* consul = std::get_if<resolver::ConsulSource>(&out);
  for (const auto& share : split) {
    if (consul != nullptr && place_of(share.tags, *consul) == consul->tiers.size()) {
      consul->tiers.emplace_back(share.tags);
    }
  }
  return out;
}

std::vector<std::string> tier_names(const resolver::Source& source,
                                    const std::vector<balancer::SplitShare>& split) {
  auto out = resolver::tier_names(asked_source(source, split));
  const auto roles = tier_roles(source, split);
  for (std::size_t i = std::min(roles.ordered, out.size()); i < out.size(); ++i) {
    out[i].insert(0, "split ");
  }
  return out;
}

balancer::TierRoles tier_roles(const resolver::Source& source,
                               const std::vector<balancer::SplitShare>& split) {
  balancer::TierRoles roles;
  const auto* consul = std::get_if<resolver::ConsulSource>(&source);
  if (consul == nullptr) {
    return roles;
  }
  const auto asked = asked_source(source, split);
  const auto& all = std::get<resolver::ConsulSource>(asked);
  roles.ordered = consul->tiers.size();
  for (const auto& share : split) {
    roles.shares.resize(all.tiers.size());
    roles.shares[place_of(share.tags, all)] += share.permille;
  }
  return roles;
}

void DrainedNodes::set_entries(const std::vector<std::string>& entries) {
  constexpr std::string_view kNode = "node:";
  endpoints_.clear();
  nodes_.clear();
  for (const auto& entry : entries) {
    if (entry.starts_with(kNode)) {
      nodes_.push_back(entry.substr(kNode.size()));
    } else if (const auto endpoint = Endpoint::parse(entry)) {
      endpoints_.push_back(*endpoint);
    }
  }
  for (auto& watched : watched_) {
    find(watched);
  }
}

bool DrainedNodes::keep_watches(const std::vector<resolver::WatchKey>& keys) {
  bool changed = false;
  std::erase_if(watched_, [&](const Watched& watched) {
    const bool gone = std::ranges::find(keys, watched.key) == keys.end();
    changed = changed || (gone && !watched.drained.empty());
    return gone;
  });
  return changed;
}

bool DrainedNodes::take(const resolver::WatchKey& key, const resolver::WatchState& state) {
  auto found = std::ranges::find(watched_, key, &Watched::key);
  if (found == watched_.end()) {
    watched_.push_back({key, nullptr});
    found = watched_.end() - 1;
  }
  if (found->details == state.details) {
    return false;
  }
  found->details = state.details;
  const auto before = std::move(found->drained);
  find(*found);
  return found->drained != before;
}

void DrainedNodes::find(Watched& watched) const {
  watched.drained.clear();
  if (nodes_.empty() || !watched.details) {
    return;
  }
  for (const auto& detail : *watched.details) {
    const auto same = [&](const std::string& node) { return http::iequals(node, detail.node); };
    if (const auto node = std::ranges::find_if(nodes_, same); node != nodes_.end()) {
      watched.drained.push_back({detail.endpoint, "node:" + *node});
    }
  }
}

balancer::DrainList DrainedNodes::list() const {
  balancer::DrainList out;
  for (const auto& endpoint : endpoints_) {
    out.entries.push_back({endpoint, endpoint.to_string()});
  }
  for (const auto& watched : watched_) {
    out.entries.insert(out.entries.end(), watched.drained.begin(), watched.drained.end());
  }
  return out;
}

TierNames::TierNames(const resolver::Source& asked) {
  if (const auto* consul = std::get_if<resolver::ConsulSource>(&asked)) {
    for (const auto& tier : consul->tiers) {
      tags_.push_back(tier.tags);
    }
  }
}

std::uint64_t TierNames::named(std::string_view value) const {
  std::uint64_t exact = 0;
  std::uint64_t more = 0;
  for (std::size_t i = 0; i < std::min(tags_.size(), balancer::kMostTiers); ++i) {
    const auto& tags = tags_[i];
    std::size_t count = 0;
    bool all = !tags.empty() && !value.empty();
    for (auto rest = value; all;) {
      const auto plus = rest.find('+');
      const auto one = rest.substr(0, plus);
      all = std::ranges::any_of(tags, [&](const auto& tag) { return http::iequals(tag, one); });
      ++count;
      if (plus == std::string_view::npos) {
        break;
      }
      rest.remove_prefix(plus + 1);
    }
    const auto bit = all ? std::uint64_t{1} << i : 0;
    more |= bit;
    exact |= count == tags.size() ? bit : 0;
  }
  return exact != 0 ? exact : more;
}

}  // namespace pilotfish::proxy
