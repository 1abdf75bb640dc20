#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "bench/harness/catalogue.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// A registry that a scenario changes and that proxies ask: the embedded one, or a real one that is
/// started for the run. Thread-safety: full.
class Registry {
 public:
  virtual ~Registry() = default;

  [[nodiscard]] virtual std::string name() const = 0;     ///< embedded, consul, coredns
  [[nodiscard]] virtual std::string version() const = 0;  ///< what it says of itself, one line
  [[nodiscard]] virtual Endpoint dns() const = 0;
  /// The HTTP API of the Consul agent; empty where it is none.
  [[nodiscard]] virtual std::optional<Endpoint> agent() const { return std::nullopt; }
  /// The name whose SRV records are the service's instances with this tag (empty: any).
  [[nodiscard]] virtual std::string srv_name(std::string_view service,
                                             std::string_view tag = {}) const = 0;

  /// Return once the registry has taken the change; throw Unavailable where it does not.
  virtual void add(std::string_view service, const CatalogueInstance& instance) = 0;
  virtual void remove(std::string_view service, const Endpoint& endpoint) = 0;
  virtual void set_status(std::string_view service, const Endpoint& endpoint,
                          CheckStatus status) = 0;
};

/// Starts `embedded`, `consul` or `coredns`; throws Unavailable where it cannot, with how to get
/// what is missing.
[[nodiscard]] std::unique_ptr<Registry> start_registry(std::string_view kind);

}  // namespace pilotfish::bench
