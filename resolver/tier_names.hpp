#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "resolver/options.hpp"

namespace pilotfish::resolver {

/// One name a tier needs, and what a completion over the agent's API would have to ask for.
struct TierName {
  std::string text;               ///< the SRV name, without the root's dot
  std::vector<std::string> tags;  ///< what the name filters on; none for `any`
  bool askable = true;            ///< false where it cannot be written as a DNS name
  std::string datacenter{};       ///< of a service in Consul; empty: the agent's own
  std::uint16_t port = 0;  ///< of a `hosts:` name, whose A and AAAA records are wanted; else 0
};

/// One tier of a source: its names, and the tags its instances get.
struct TierPlan {
  std::vector<TierName> names;
  std::vector<std::string> tags;  ///< sorted, each once
  /// What it asks for, its datacenter filled in; for `not` and `meta`, which no name can say.
  ConsulTier wants{};
};

/// Plans each tier: `tag.service.service.domain` per tag (with datacenter
/// `tag.service.service.dc2.dc.domain`; dots in tags work in this form), the SRV name itself, or
/// the host name. Where service and tag both begin with an underscore:
/// `__service.__tag.service.domain`. Empty for static sources. Pure.
[[nodiscard]] std::vector<TierPlan> plan_tiers(const Source& source, const std::string& domain);

/// True where `name` fits a question: labels of 1..63 bytes, 253 in all, no byte that DNS text
/// forms escape (registries would not recognise it).
[[nodiscard]] bool is_askable(const std::string& name);

}  // namespace pilotfish::resolver
