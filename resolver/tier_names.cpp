#include "resolver/tier_names.hpp"

#include <algorithm>
#include <string_view>

namespace pilotfish::resolver {
namespace {

std::string without_dots(std::string_view name) {
  while (name.ends_with('.')) {
    name.remove_suffix(1);
  }
  while (name.starts_with('.')) {
    name.remove_prefix(1);
  }
  return std::string(name);
}

std::string name_of(const ConsulTier& tier) {
  std::string out;
  for (const auto& tag : tier.tags) {
    out += (out.empty() ? "" : "+") + tag;
  }
  out = out.empty() ? "any" : out;
  out += tier.datacenter.empty() ? "" : "@" + tier.datacenter;
  for (const auto& tag : tier.without) {
    out += " not " + tag;
  }
  for (const auto& [key, value] : tier.meta) {
    out += " " + key + "=" + value;
  }
  return out;
}

/// Two parts that both begin with an underscore are RFC 2782's _service._tag to Consul, which cuts
/// one underscore off each and swaps them; so those two alone are written that way.
std::string with_tag(const std::string& service, const std::string& tag) {
  const bool misread =
      service.starts_with('_') && tag.starts_with('_') && tag.find('.') == std::string::npos;
  return misread ? "_" + service + "._" + tag : tag + "." + service;
}

TierPlan plan(const ConsulSource& source, const ConsulTier& tier, const std::string& domain) {
  const auto& tags = tier.tags;
  const auto& where = tier.datacenter.empty() ? source.datacenter : tier.datacenter;
  const auto datacenter = where.empty() ? "" : "." + where + ".dc";
  const auto rest = ".service" + datacenter + "." + without_dots(domain);
  const auto base = source.service + rest;
  TierPlan out;
  out.wants = tier;
  out.wants.datacenter = where;
  out.tags = tags;
  std::ranges::sort(out.tags);
  const auto repeated = std::ranges::unique(out.tags);
  out.tags.erase(repeated.begin(), repeated.end());
  out.wants.tags = out.tags;
  if (tags.empty()) {
    out.names.push_back({base, {}, is_askable(base), where});
  }
  for (const auto& tag : tags) {
    const auto name = with_tag(source.service, tag) + rest;
    const bool known = std::ranges::any_of(
        out.names, [&name](const TierName& other) { return other.text == name; });
    if (!known) {
      out.names.push_back({name, {tag}, is_askable(name), where});
    }
  }
  return out;
}

}  // namespace

bool is_askable(const std::string& name) {
  constexpr std::string_view kEscaped = "\"\\();@$";
  constexpr std::size_t kMaxText = 253;
  constexpr std::size_t kMaxLabel = 63;
  std::size_t label = 0;
  for (const char letter : name) {
    if (letter == '.') {
      if (label == 0) {
        return false;
      }
      label = 0;
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    if (byte <= 0x20 || byte >= 0x7f || kEscaped.find(letter) != std::string_view::npos ||
        ++label > kMaxLabel) {
      return false;
    }
  }
  return label != 0 && name.size() <= kMaxText;
}

std::vector<std::string> tier_names(const Source& source) {
  std::vector<std::string> out;
  if (const auto* consul = std::get_if<ConsulSource>(&source)) {
    for (const auto& tier : consul->tiers) {
      out.push_back(name_of(tier));
    }
  } else if (const auto* srv = std::get_if<SrvSource>(&source)) {
    out = srv->names;
  } else if (const auto* hosts = std::get_if<HostsSource>(&source)) {
    for (const auto& host : hosts->hosts) {
      out.push_back(host.name + ":" + std::to_string(host.port));
    }
  } else {
    out.emplace_back("static");
  }
  return out;
}

std::vector<TierPlan> plan_tiers(const Source& source, const std::string& domain) {
  std::vector<TierPlan> out;
  if (const auto* consul = std::get_if<ConsulSource>(&source)) {
    for (const auto& tier : consul->tiers) {
      out.push_back(plan(*consul, tier, domain));
    }
  } else if (const auto* srv = std::get_if<SrvSource>(&source)) {
    for (const auto& name : srv->names) {
      const auto text = without_dots(name);
      out.push_back({{{text, {}, is_askable(text)}}, {}});
    }
  } else if (const auto* hosts = std::get_if<HostsSource>(&source)) {
    for (const auto& host : hosts->hosts) {
      const auto text = without_dots(host.name);
      out.push_back({{{text, {}, is_askable(text), {}, host.port}}, {}});
    }
  }
  return out;
}

}  // namespace pilotfish::resolver
