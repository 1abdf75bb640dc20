#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "tests/support/dns_builder.hpp"

namespace pilotfish::test {

/// A question as it arrived.
struct DnsQuery {
  std::uint16_t id = 0;
  std::string name;  ///< as sent, without the root's dot
  std::uint16_t type = 0;
  bool tcp = false;
  std::size_t edns_size = 0;  ///< 0: no OPT
  TimePoint at{};

  /// An answer to it that begins with the right id and question.
  [[nodiscard]] DnsBuilder reply() const { return {id, name, type}; }
};

/// What the server does about a question.
struct DnsAction {
  /// Datagrams one after the other; over TCP messages, each behind its length unless `raw`.
  std::vector<Bytes> messages;
  Duration delay{};           ///< before the first
  Duration between{};         ///< before each further one
  std::size_t strangers = 0;  ///< UDP: so many of the first come from elsewhere, in turn from
                              ///< another port and from another address with the same port
  std::size_t slice = 0;      ///< TCP: bytes per write, with `between` in between; 0: whole
  bool raw = false;           ///< TCP: bytes as they are
  bool close = false;         ///< TCP: closes after them

  static DnsAction drop() { return {}; }
  static DnsAction send(Bytes message, Duration after = {}) {
    return {{std::move(message)}, after};
  }
};

/// A DNS server on loopback, UDP and TCP on one free port, with its own thread; answers are made by
/// a lambda that runs on that thread. Stops and joins when destroyed.
/// Thread-safety: every call from any thread.
class FakeDnsServer {
 public:
  using Handler = std::function<DnsAction(const DnsQuery&)>;

  struct Setup {
    bool tcp = true;  ///< false: TCP is refused
    bool v6 = false;  ///< [::1]
  };

  explicit FakeDnsServer(Handler handler) : FakeDnsServer(std::move(handler), Setup{}) {}
  FakeDnsServer(Handler handler, Setup setup);
  ~FakeDnsServer();
  FakeDnsServer(const FakeDnsServer&) = delete;
  FakeDnsServer& operator=(const FakeDnsServer&) = delete;

  [[nodiscard]] Endpoint endpoint() const;
  void handle_with(Handler handler);
  /// Every question so far, in the order of arrival.
  [[nodiscard]] std::vector<DnsQuery> queries() const;
  [[nodiscard]] std::size_t count(bool tcp) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilotfish::test
