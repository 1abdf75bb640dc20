#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "bench/harness/catalogue.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// What a registry answers about one service, asked by somebody of his own: a connection that
/// shares nothing with the proxies'. Blocking. Thread-safety: none; each thread has its own.
class RegistryView {
 public:
  virtual ~RegistryView() = default;
  /// The ports of the instances in the answer that was given within the limit; empty where there
  /// was none. An answer without instances is an empty set.
  [[nodiscard]] virtual std::optional<std::set<std::uint16_t>> ports(Duration limit) = 0;
};

/// How a registry can be out of order.
enum class Outage : std::uint8_t {
  kSilent,  ///< it is there and answers nothing, as a stopped process or a lost network
  kGone,    ///< nobody listens any more, as after a crash
};

/// A registry that a scenario changes and that proxies ask: the embedded one, or a real one that is
/// started for the run. Thread-safety: full for what is const and for view(); changes and outages
/// belong to one thread.
class Registry {
 public:
  virtual ~Registry() = default;

  [[nodiscard]] virtual std::string name() const = 0;     ///< embedded, consul, coredns
  [[nodiscard]] virtual std::string version() const = 0;  ///< what it says of itself, one line
  [[nodiscard]] virtual Endpoint dns() const = 0;
  /// The HTTP API of the Consul agent; empty where it is none.
  [[nodiscard]] virtual std::optional<Endpoint> agent() const { return std::nullopt; }
  /// The name whose SRV records are the service's instances with this tag (empty: any). It begins
  /// with an underscore, by which HAProxy knows SRV names.
  [[nodiscard]] virtual std::string srv_name(std::string_view service,
                                             std::string_view tag = {}) const = 0;

  /// Return once the registry has taken the change; throw Unavailable where it does not.
  virtual void add(std::string_view service, const CatalogueInstance& instance) = 0;
  virtual void remove(std::string_view service, const Endpoint& endpoint) = 0;
  virtual void set_status(std::string_view service, const Endpoint& endpoint,
                          CheckStatus status) = 0;

  /// A view of its DNS (over TCP, so that nothing is trimmed) or, `by_api`, of its HTTP API where
  /// it has one.
  [[nodiscard]] virtual std::unique_ptr<RegistryView> view(std::string_view service,
                                                           std::string_view tag, bool by_api) const;
  /// How many DNS questions reached it so far; empty where it does not count.
  [[nodiscard]] virtual std::optional<std::uint64_t> questions() const { return std::nullopt; }

  /// An outage, and its end: the same content at the same addresses. Between the two nothing can be
  /// changed. Throw Unavailable where it does not come back.
  virtual void begin_outage(Outage kind) = 0;
  virtual void end_outage() = 0;
};

/// Starts `embedded`, `consul` or `coredns`; throws Unavailable where it cannot, with how to get
/// what is missing.
[[nodiscard]] std::unique_ptr<Registry> start_registry(std::string_view kind);

}  // namespace pilotfish::bench
