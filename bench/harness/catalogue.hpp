#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// What a registry's health checks say about an instance. Warning counts as healthy, with a weight
/// of its own; critical never does.
enum class CheckStatus : std::uint8_t { kPassing, kWarning, kCritical };

/// One registered instance of a service.
struct CatalogueInstance {
  Endpoint endpoint;
  std::vector<std::string> tags;
  std::uint16_t passing_weight = 1;
  std::uint16_t warning_weight = 1;
  std::uint16_t priority = 1;
  CheckStatus status = CheckStatus::kPassing;

  [[nodiscard]] std::uint16_t weight() const {
    return status == CheckStatus::kWarning ? warning_weight : passing_weight;
  }
};

/// The content of a registry: service name -> instances. Names are compared without case; a service
/// may be a plain word (`billing`) or a whole DNS name registered as it is
/// (`_web._tcp.prom.local`). Pure. Thread-safety: a value.
class Catalogue {
 public:
  /// Registers an instance; one with the same address and port is replaced.
  void add(std::string_view service, CatalogueInstance instance);
  /// False where there is no such instance.
  bool remove(std::string_view service, const Endpoint& endpoint);
  bool set_status(std::string_view service, const Endpoint& endpoint, CheckStatus status);
  /// Sets the status of all instances that carry the tag; the number of them.
  std::size_t set_status_of_tag(std::string_view service, std::string_view tag, CheckStatus status);

  /// Instances that are not critical and carry the tag (an empty tag means any).
  [[nodiscard]] std::vector<CatalogueInstance> healthy(std::string_view service,
                                                       std::string_view tag = {}) const;
  [[nodiscard]] std::vector<CatalogueInstance> all(std::string_view service) const;
  [[nodiscard]] bool knows(std::string_view service) const;
  [[nodiscard]] std::vector<std::string> services() const;
  /// Grows with every change.
  [[nodiscard]] std::uint64_t version() const { return version_; }

 private:
  [[nodiscard]] CatalogueInstance* find(std::string_view service, const Endpoint& endpoint);

  std::map<std::string, std::vector<CatalogueInstance>> services_;
  std::uint64_t version_ = 0;
};

/// ASCII lower case without a trailing dot: the form in which names are compared.
[[nodiscard]] std::string canonical_name(std::string_view name);

}  // namespace pilotfish::bench
