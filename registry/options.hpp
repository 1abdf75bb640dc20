#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::registry {

using namespace std::chrono_literals;

/// Where the local agent's HTTP API is. The environment overrides (docs/configuration.md).
struct ConsulHttp {
  std::string url = "http://127.0.0.1:8500";  ///< http://HOST:PORT or unix://PATH
  std::string token;                          ///< a secret: never logged, redacted in /config
  /// The agent's dns_config.only_passing: warning instances are left out. Not set: it is asked.
  std::optional<bool> only_passing;
  friend bool operator==(const ConsulHttp&, const ConsulHttp&) = default;
};

struct EtcdOptions {
  std::vector<std::string> endpoints{"http://127.0.0.1:2379"};
  std::string prefix = "/skydns";
  friend bool operator==(const EtcdOptions&, const EtcdOptions&) = default;
};

enum class CheckKind : std::uint8_t { kNone, kHttp, kTcp, kTtl };

struct CheckOptions {
  CheckKind kind = CheckKind::kNone;
  std::string target;  ///< URL for kHttp, HOST:PORT for kTcp
  Duration ttl{};      ///< for kTtl
  Duration interval = 10s;
  Duration timeout = 1s;
  Duration deregister_after{};  ///< 0: never
  friend bool operator==(const CheckOptions&, const CheckOptions&) = default;
};

struct Weights {
  std::uint32_t passing = 1;
  std::uint32_t warning = 1;
  friend bool operator==(const Weights&, const Weights&) = default;
};

enum class RegisterIn : std::uint8_t { kConsul, kEtcd };

/// One entry of `register:`.
struct Announcement {
  std::string key;    ///< the entry's key in the file
  std::string name;   ///< default: the key
  bool self = false;  ///< the sidecar itself: the admin port, /ready checked every 2 s, timeout 1 s
  RegisterIn in = RegisterIn::kConsul;
  std::uint16_t port = 0;
  std::string address;  ///< empty: Consul's node address; in etcd the local end of the route to it
  std::vector<std::string> tags;
  std::map<std::string, std::string> meta;
  Weights weights;
  CheckOptions check;
  // etcd only
  std::string srv;  ///< name the record is found under
  Duration lease = 30s;
  std::uint32_t priority = 10;  ///< as CoreDNS answers when none is stored
  std::uint32_t weight = 100;
  std::uint32_t ttl = 0;  ///< seconds; 0: not stored
  friend bool operator==(const Announcement&, const Announcement&) = default;
};

}  // namespace pilotfish::registry
