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

/// The key of Meta that says which process announced a service: a mark that each process draws for
/// itself. Nothing of ours but the choice whether to withdraw or replace it depends on it.
inline constexpr std::string_view kOwnerKey = "pilotfish-owner";

struct KnownCheck {
  std::string type;    ///< "http", "tcp", "ttl"; empty where the agent does not say
  std::string status;  ///< "passing", "warning", "critical"
};

/// The same service as the agent knows it.
struct KnownService {
  std::string id;
  std::string name;
  std::string address;
  std::int64_t port = 0;
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;  ///< without the owner's mark
  std::string owner;                        ///< empty: announced without a mark
  std::optional<Weights> weights;
  std::map<std::string, KnownCheck> checks;  ///< by CheckID

  /// Of one check; false where there is none of that id.
  [[nodiscard]] bool critical(const std::string& check_id) const;
};

/// The service a `register:` entry stands for. `node_address` is part of the id where the entry
/// has no address of its own.
ConsulService consul_service(const Announcement& announcement, std::string_view node_address);

/// Body of PUT /v1/agent/service/register. `owner` empty: without a mark. `passing`: its check
/// begins so; the agent begins with critical otherwise, and keeps the status of one it knows.
std::string encode_registration(const ConsulService& service, std::string_view owner, bool passing);

/// Answer of GET /v1/agent/health/service/id/ID?format=json. Nothing where it does not describe a
/// service.
std::optional<KnownService> decode_agent_health(std::string_view body);

/// Member.Addr of GET /v1/agent/self: the address the agent advertises.
std::optional<std::string> decode_member_address(std::string_view body);

/// What differs between the wanted and the known service, for the log; empty where nothing does.
/// The order of tags does not count.
std::string difference(const ConsulService& wanted, const KnownService& known);

}  // namespace pilotfish::registry
