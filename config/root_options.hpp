#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/endpoint.hpp"
#include "core/log.hpp"
#include "proxy/options.hpp"
#include "registry/options.hpp"
#include "resolver/options.hpp"

namespace pilotfish::config {

using namespace std::chrono_literals;

enum class LogFormat : std::uint8_t { kText, kJson };

struct LogOptions {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kText;
  std::string access = "off";  ///< off | stdout | stderr | PATH
  friend bool operator==(const LogOptions&, const LogOptions&) = default;
};

struct AdminOptions {
  std::optional<Endpoint> listen = Endpoint{IpAddress::v4({127, 0, 0, 1}), 9900};
  bool is_public = false;  ///< `admin_public: true`, needed for anything but loopback
  friend bool operator==(const AdminOptions&, const AdminOptions&) = default;
};

/// A whole configuration file: valid by construction (config::load checks every rule).
struct RootOptions {
  AdminOptions admin;
  std::uint32_t workers = 1;  ///< `auto` is resolved while loading
  std::uint32_t max_clients = 10000;
  std::string state_dir;
  LogOptions log;
  Duration grace{};  ///< withdrawn and not ready, and still serving, before the drain begins
  Duration drain = 10s;
  registry::ConsulHttp consul_http;
  resolver::ConsulDns consul_dns;
  /// For `srv:` upstreams; empty: the system's resolvers. Already copied into each SrvSource that
  /// names no servers of its own.
  std::vector<Endpoint> dns;
  registry::EtcdOptions etcd;
  std::vector<proxy::UpstreamOptions> upstreams;  ///< in the file's order
  std::vector<registry::Announcement> announcements;
  friend bool operator==(const RootOptions&, const RootOptions&) = default;
};

}  // namespace pilotfish::config
