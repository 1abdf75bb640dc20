#pragma once

#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <utility>
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

/// One entry of `prefer:`: what an instance must have to be of this tier; nothing set is `any`.
struct ConsulTier {
  std::vector<std::string> tags;            ///< all needed
  std::string datacenter;                   ///< empty: the source's
  std::vector<std::string> without;         ///< `not:` none of these tags; `fresh: watch` only
  std::map<std::string, std::string> meta;  ///< all equal; `fresh: watch` only

  ConsulTier() = default;
  ConsulTier(std::vector<std::string> all)  // NOLINT(google-explicit-constructor): tags are a tier
      : tags(std::move(all)) {}
  ConsulTier(std::initializer_list<std::string> all) : tags(all) {}
  friend bool operator==(const ConsulTier&, const ConsulTier&) = default;
};

/// `consul: billing` with `prefer:`.
struct ConsulSource {
  std::string service;
  std::string datacenter;  ///< empty: the agent's own
  std::vector<ConsulTier> tiers{{}};
  friend bool operator==(const ConsulSource&, const ConsulSource&) = default;
};

/// `srv: NAME` or ordered tiers of names, with the servers to ask.
struct SrvSource {
  std::vector<std::string> names;
  std::vector<Endpoint> servers;  ///< empty: the system's resolvers
  friend bool operator==(const SrvSource&, const SrvSource&) = default;
};

/// One entry of `hosts:`: A and AAAA records, each address an instance at this port.
struct HostPort {
  std::string name;
  std::uint16_t port = 0;
  friend bool operator==(const HostPort&, const HostPort&) = default;
};

/// `hosts: NAME:PORT` or ordered tiers of them, with the servers to ask.
struct HostsSource {
  std::vector<HostPort> hosts;
  std::vector<Endpoint> servers;  ///< empty: the system's resolvers
  friend bool operator==(const HostsSource&, const HostsSource&) = default;
};

struct StaticSource {
  InstanceList instances;
  friend bool operator==(const StaticSource&, const StaticSource&) = default;
};

using Source = std::variant<ConsulSource, SrvSource, StaticSource, HostsSource>;

/// Where Consul's DNS listens.
struct ConsulDns {
  Endpoint server{IpAddress::v4({127, 0, 0, 1}), 8600};
  std::string domain = "consul";
  friend bool operator==(const ConsulDns&, const ConsulDns&) = default;
};

/// What people read as a tier's name: "v4", "v3+read", "any", the SRV name, "static".
[[nodiscard]] std::vector<std::string> tier_names(const Source& source);

}  // namespace pilotfish::resolver
