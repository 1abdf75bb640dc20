#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "balancer/options.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "resolver/options.hpp"

namespace pilotfish::proxy {

using namespace std::chrono_literals;

enum class Protocol : std::uint8_t { kHttp, kTcp };

/// Where an upstream is offered to the application: an address, or a socket from systemd.
struct ListenAddress {
  Endpoint endpoint;
  std::string inherited;  ///< NAME of `fd:NAME`; empty where `endpoint` counts
  [[nodiscard]] std::string to_string() const {
    return inherited.empty() ? endpoint.to_string() : "fd:" + inherited;
  }
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

struct HashOn {
  bool source_ip = true;
  std::string header;  ///< lower case; where source_ip is false
  friend bool operator==(const HashOn&, const HashOn&) = default;
};

struct Timeouts {
  Duration head = 10s;       ///< client's head, from its first byte (or accept) to its end
  Duration body = 60s;       ///< a stalled body, either direction
  Duration write = 60s;      ///< a stalled reader
  Duration keep_alive = 1h;  ///< idle client
  Duration pool_idle = 4s;   ///< idle pooled connection
  friend bool operator==(const Timeouts&, const Timeouts&) = default;
};

/// What a client's FIN behind a whole request means.
enum class ClientHalfClose : std::uint8_t {
  kAbort,  ///< it went away: the request is cancelled
  kServe,  ///< it will send no more, and still reads
};

/// `sticky:` the instance that answered first keeps the client.
struct Sticky {
  std::string cookie;  ///< its name; empty: off
  Duration ttl = 1h;
  friend bool operator==(const Sticky&, const Sticky&) = default;
};

/// `host:` what Host says to the instances.
struct HostRule {
  enum class Kind : std::uint8_t { kKeep, kInstance, kName };
  Kind kind = Kind::kKeep;
  std::string name;  ///< for kName
  friend bool operator==(const HostRule&, const HostRule&) = default;
};

enum class ActiveCheckKind : std::uint8_t { kNone, kHttp, kTcp };

/// `check:` of an upstream: what the sidecar itself asks each instance.
struct ActiveCheck {
  ActiveCheckKind kind = ActiveCheckKind::kNone;
  std::string path;  ///< for kHttp
  Duration interval = 5s;
  Duration timeout = 1s;
  std::uint32_t healthy = 2;    ///< passes in a row that make an unhealthy one healthy
  std::uint32_t unhealthy = 3;  ///< failures in a row that make a healthy one unhealthy
  friend bool operator==(const ActiveCheck&, const ActiveCheck&) = default;
};

/// One entry of `upstreams:`.
struct UpstreamOptions {
  std::string name;
  ListenAddress listen;
  Protocol protocol = Protocol::kHttp;
  bool required = true;
  bool enabled = true;
  std::vector<std::string> drain;  ///< "ADDRESS:PORT" or "node:NAME": no new requests
  resolver::Source source;
  resolver::Freshness fresh = resolver::Freshness::kConnection;
  resolver::LookupOptions lookup;
  balancer::ClusterOptions cluster;
  HashOn hash_on;
  std::string choose_by;  ///< the header, lower case, that names a tag of prefer or split; or empty
  Sticky sticky;
  HostRule host;
  ActiveCheck check;
  ClientHalfClose client_half_close = ClientHalfClose::kAbort;
  Duration connect_timeout = 1s;
  Duration request_timeout = 30s;
  Duration idle_timeout = 1h;
  Timeouts timeouts;
  balancer::RetryOptions retry;
  balancer::LimitOptions limits;
  friend bool operator==(const UpstreamOptions&, const UpstreamOptions&) = default;
};

}  // namespace pilotfish::proxy
