#pragma once

#include <string>

#include "core/endpoint.hpp"
#include "net/asio.hpp"
#include "proxy/options.hpp"

namespace pilotfish::proxy {

/// What one probe found.
struct ProbeResult {
  bool passed = false;
  /// False where it says nothing about the instance: this machine has no descriptor, no port or no
  /// memory left.
  bool counts = true;
  std::string why;  ///< where it did not pass, for people: "GET /health: 503"
};

/// Probes an instance once over a connection of its own, within `check.timeout`. HTTP passes with a
/// final status of 2xx; redirects are neither followed nor good. TCP passes with a connection.
/// `host` is what Host says. Does not throw. Thread-safety: runs on `executor` alone.
[[nodiscard]] net::Awaitable<ProbeResult> probe(net::Executor executor, Endpoint endpoint,
                                                ActiveCheck check, std::string host);

}  // namespace pilotfish::proxy
