#pragma once

#include <cstddef>
#include <memory>

#include "app/admin_routes.hpp"
#include "app/descriptor.hpp"
#include "core/endpoint.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"

namespace pilotfish::app {

struct AdminServerOptions {
  bool any_host = false;                            ///< admin_public
  Duration head_timeout = std::chrono::seconds(5);  ///< from a request's first byte (or accept)
  Duration idle_timeout = std::chrono::minutes(1);  ///< between requests of a kept connection
  Duration write_timeout = std::chrono::seconds(10);
  /// Above it the longest idle one is closed, else one that takes long over its request; else
  /// accept waits.
  std::size_t max_connections = 64;
};

/// The admin port: small HTTP/1.1 server for what answer_admin() knows.
/// Ownership: `source` and `logger` outlive it. Thread-safety: none; one executor.
class AdminServer {
 public:
  /// `listener` is bound and listens.
  AdminServer(net::IoContext& io, Descriptor listener, bool is_v6, AdminServerOptions options,
              AdminSource& source, Logger& logger);
  ~AdminServer();
  AdminServer(const AdminServer&) = delete;
  AdminServer& operator=(const AdminServer&) = delete;

  void start();
  /// A reload changed admin_public.
  void set_any_host(bool any_host);
  /// Closes the listener; what is being answered is still answered.
  void finish();
  /// Closes the listener and every connection.
  void stop();
  [[nodiscard]] std::size_t connections() const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace pilotfish::app
