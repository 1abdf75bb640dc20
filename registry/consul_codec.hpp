#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/options.hpp"

namespace pilotfish::registry {

/// A service as it is announced to Consul's agent. A value.
struct ConsulService {
  std::string id;
  std::string name;
  std::string address;  ///< empty: the agent's own
  std::uint16_t port = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  Weights weights;
  CheckOptions check;

  [[nodiscard]] std::string check_id() const { return "service:" + id; }
  friend bool operator==(const ConsulService&, const ConsulService&) = default;
};

/// The same service as the agent knows it.
struct KnownService {
  std::string id;
  std::string name;
  std::string address;
  std::int64_t port = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  std::optional<Weights> weights;
  /// CheckID -> Type ("http", "tcp", "ttl"); Type is empty where the agent does not say.
  std::map<std::string, std::string> checks;
};

/// The service a `register:` entry stands for. `node_address` is part of the id where the entry
/// has no address of its own.
ConsulService consul_service(const Announcement& announcement, std::string_view node_address);

/// Body of PUT /v1/agent/service/register.
std::string encode_registration(const ConsulService& service);

/// Answer of GET /v1/agent/health/service/id/ID?format=json. Nothing where it does not describe a
/// service.
std::optional<KnownService> decode_agent_health(std::string_view body);

/// Member.Addr of GET /v1/agent/self: the address the agent advertises.
std::optional<std::string> decode_member_address(std::string_view body);

/// What differs between the wanted and the known service, for the log; empty where nothing does.
/// The order of tags does not count.
std::string difference(const ConsulService& wanted, const KnownService& known);

}  // namespace pilotfish::registry
