#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "core/clock.hpp"
#include "core/instance.hpp"

namespace pilotfish::resolver {

using namespace std::chrono_literals;

enum class Freshness : std::uint8_t { kConnection, kTtl, kWatch };

struct LookupOptions {
  Duration timeout = 200ms;       ///< how long a connection waits for the registry
  std::uint32_t max_rate = 1000;  ///< lookups a second and name (the whole process)
  friend bool operator==(const LookupOptions&, const LookupOptions&) = default;
};

/// `consul: billing` with `prefer:`; each tier is a list of tags (all needed), empty for `any`.
struct ConsulSource {
  std::string service;
  std::string datacenter;  ///< empty: the agent's own
  std::vector<std::vector<std::string>> tiers{{}};
  friend bool operator==(const ConsulSource&, const ConsulSource&) = default;
};

/// `srv: NAME` or ordered tiers of names, with the servers to ask.
struct SrvSource {
  std::vector<std::string> names;
  std::vector<Endpoint> servers;  ///< empty: the system's resolvers
  friend bool operator==(const SrvSource&, const SrvSource&) = default;
};

struct StaticSource {
  InstanceList instances;
  friend bool operator==(const StaticSource&, const StaticSource&) = default;
};

using Source = std::variant<ConsulSource, SrvSource, StaticSource>;

/// Where Consul's DNS listens.
struct ConsulDns {
  Endpoint server{IpAddress::v4({127, 0, 0, 1}), 8600};
  std::string domain = "consul";
  friend bool operator==(const ConsulDns&, const ConsulDns&) = default;
};

/// What people read as a tier's name: "v4", "v3+read", "any", the SRV name, "static".
[[nodiscard]] std::vector<std::string> tier_names(const Source& source);

}  // namespace pilotfish::resolver
