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

/// One entry of `upstreams:`.
struct UpstreamOptions {
  std::string name;
  ListenAddress listen;
  Protocol protocol = Protocol::kHttp;
  bool required = true;
  resolver::Source source;
  resolver::Freshness fresh = resolver::Freshness::kConnection;
  resolver::LookupOptions lookup;
  balancer::ClusterOptions cluster;
  HashOn hash_on;
  Duration connect_timeout = 1s;
  Duration request_timeout = 30s;
  Duration idle_timeout = 1h;
  Timeouts timeouts;
  balancer::RetryOptions retry;
  balancer::LimitOptions limits;
  friend bool operator==(const UpstreamOptions&, const UpstreamOptions&) = default;
};

}  // namespace pilotfish::proxy
