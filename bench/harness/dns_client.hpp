#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bench/harness/dns_answer.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// Asks one server (IPv4) for SRV records, blocking. Over TCP the connection is kept, and opened
/// anew where the server has ended it. Thread-safety: none.
class DnsClient {
 public:
  explicit DnsClient(const Endpoint& server) : server_(server) {}
  ~DnsClient();
  DnsClient(const DnsClient&) = delete;
  DnsClient& operator=(const DnsClient&) = delete;

  /// Empty where no whole answer came within the limit.
  [[nodiscard]] std::optional<SrvAnswer> ask_tcp(const std::string& name, Duration limit);
  [[nodiscard]] std::optional<SrvAnswer> ask_udp(const std::string& name, std::uint16_t edns_size,
                                                 Duration limit);

 private:
  bool connect(TimePoint until);
  std::optional<SrvAnswer> exchange(const std::string& name, TimePoint until);
  void close();

  const Endpoint server_;
  int socket_ = -1;
  std::uint16_t id_ = 0;
};

}  // namespace pilotfish::bench
