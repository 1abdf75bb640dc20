#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/instance.hpp"
#include "registry/json.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::registry {

/// What GET /v1/health/service/NAME listed.
struct HealthListing {
  /// Normalised; every tag of an instance, sorted; priority 1, as Consul's DNS answers; weight of
  /// the aggregated status (passing or warning).
  InstanceList instances;
  std::vector<resolver::InstanceDetail> details;  ///< of them, sorted by endpoint, each once
  std::size_t excluded = 0;  ///< critical, under maintenance, or of a status nobody knows
  std::size_t skipped = 0;   ///< no address, port 0 or above 65535, not an entry
  std::size_t named = 0;     ///< a host name as address, which DNS resolves
  /// Where those of `excluded` are, sorted: listed as not to be used, which is not the same as not
  /// being listed.
  std::vector<Endpoint> out;
};

/// Pure; does not throw. Nothing where the body is not a listing at all: that is a failed lookup,
/// never an empty service. One bad entry costs that entry alone. Weights are clamped to 0..65535.
/// `max_size` bytes at most. `only_passing`: warning counts as critical, as the agent's DNS has it
/// with dns_config.only_passing. Entries of one address and port become one, with the tags of all,
/// as each of them is found over DNS, and the weight that best_first() says.
std::optional<HealthListing> decode_health(std::string_view body,
                                           std::size_t max_size = kMaxJsonSize,
                                           bool only_passing = false);

/// True where an instance of `known` is not in `listing` at all, neither usable nor critical.
bool loses_any(const InstanceList& known, const HealthListing& listing);

/// dns_config.only_passing, from DebugConfig of GET /v1/agent/self; nothing where it is not said.
std::optional<bool> decode_only_passing(std::string_view body);

/// One entry of a listing, whatever its state.
struct Presence {
  enum class State : std::uint8_t { kHealthy, kCritical, kMaintenance, kUnusable };
  State state = State::kHealthy;  ///< kUnusable: healthy, but without an IP address or a port
  std::vector<std::string> tags;
  std::vector<std::pair<std::string, std::string>> meta{};  ///< sorted
};

/// The same body read for who is there at all. Pure; does not throw.
std::optional<std::vector<Presence>> decode_presence(std::string_view body,
                                                     std::size_t max_size = kMaxJsonSize);

/// True where `tags` has all of `wanted`; case does not count, as in Consul's DNS.
bool has_tags(const std::vector<std::string>& tags, const std::vector<std::string>& wanted);

}  // namespace pilotfish::registry
