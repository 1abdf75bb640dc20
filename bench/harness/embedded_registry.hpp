#pragma once

#include <memory>

#include "bench/harness/dns_server.hpp"
#include "bench/harness/loop_thread.hpp"
#include "bench/harness/shared_catalogue.hpp"

namespace pilotfish::bench {

/// A whole registry in this process: a catalogue and a DNS server with a thread of its own.
/// Thread-safety: full.
class EmbeddedRegistry {
 public:
  /// Throws boost::system::system_error where the port cannot be bound.
  explicit EmbeddedRegistry(const DnsServerOptions& options = {});
  ~EmbeddedRegistry();

  [[nodiscard]] SharedCatalogue& catalogue() { return catalogue_; }
  /// While it is open.
  [[nodiscard]] DnsServer& dns() { return *server_; }
  [[nodiscard]] Endpoint endpoint() const { return endpoint_; }

  void add(std::string_view service, CatalogueInstance instance);
  bool remove(std::string_view service, const Endpoint& endpoint);
  bool set_status(std::string_view service, const Endpoint& endpoint, CheckStatus status);

  /// Nobody listens any more, until open(): again at the same port, with the same content. Not from
  /// several threads at once.
  void close();
  void open();
  /// Questions that came so far, by UDP and TCP.
  [[nodiscard]] std::uint64_t questions() const;

 private:
  DnsServerOptions options_;
  std::uint64_t questions_before_ = 0;  ///< of the servers that were closed
  SharedCatalogue catalogue_;
  LoopThread loop_;
  std::unique_ptr<DnsServer> server_;
  Endpoint endpoint_;
};

}  // namespace pilotfish::bench
