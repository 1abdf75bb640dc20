#pragma once

#include <cstdint>
#include <memory>

#include "bench/harness/dns_zone.hpp"
#include "bench/harness/shared_catalogue.hpp"
#include "core/clock.hpp"
#include "net/asio.hpp"

namespace pilotfish::bench {

/// How the server treats questions, to play a registry in trouble.
enum class DnsMood : std::uint8_t { kAnswer, kServfail, kRefuse, kSilent };

struct DnsServerOptions {
  Endpoint listen{IpAddress::v4({127, 0, 0, 1}), 0};  ///< port 0: any that is free for UDP and TCP
  DnsZoneOptions zone;
  std::uint64_t seed = 1;  ///< of the shuffling
};

/// Authoritative SRV server over a shared catalogue, UDP and TCP on one port.
/// Thread-safety: construct, destroy and call on the executor's thread, but for the two setters and
/// the counters, which are atomics. The catalogue must outlive the executor's loop.
class DnsServer {
 public:
  /// Throws boost::system::system_error where the port cannot be bound.
  DnsServer(net::Executor executor, SharedCatalogue& catalogue, const DnsServerOptions& options);
  ~DnsServer();
  DnsServer(const DnsServer&) = delete;
  DnsServer& operator=(const DnsServer&) = delete;

  [[nodiscard]] Endpoint endpoint() const;
  void set_mood(DnsMood mood);
  void set_delay(Duration delay);
  [[nodiscard]] std::uint64_t udp_queries() const;
  [[nodiscard]] std::uint64_t tcp_queries() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace pilotfish::bench
