#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/instance.hpp"

namespace pilotfish {

/// How a lookup ended. The text of each (to_string) is the `result` label of `lookup_total`.
enum class LookupResult : std::uint8_t {
  kOk,
  kNxdomain,     ///< the name does not exist; Consul says so too when every instance is critical
  kEmpty,        ///< NOERROR without a usable record
  kServfail,     ///< SERVFAIL, NOTIMP, FORMERR: the server could not
  kRefused,      ///< REFUSED
  kUnreachable,  ///< the server's port answered with an ICMP or TCP refusal
  kTimeout,
  kMalformed,  ///< an answer came, but it cannot be believed
};
inline constexpr std::size_t kLookupResultCount = 8;

[[nodiscard]] std::string_view to_string(LookupResult result);

/// A failed lookup says nothing about the service: the last good answer stays.
[[nodiscard]] constexpr bool is_failure(LookupResult result) {
  return result != LookupResult::kOk && result != LookupResult::kNxdomain &&
         result != LookupResult::kEmpty;
}

/// kApi: the agent completed what DNS trimmed; kWatch: its blocking query, without any DNS.
enum class Transport : std::uint8_t { kUdp, kTcp, kApi, kWatch, kStatic };
[[nodiscard]] std::string_view to_string(Transport transport);

/// What one name of a tier answered; kept for `pilotfish resolve` and /upstreams.
struct NameAnswer {
  std::string name;
  LookupResult result = LookupResult::kEmpty;
  Transport transport = Transport::kUdp;
  Duration ttl{};   ///< the lowest TTL of the records used
  Duration took{};  ///< from question to answer, retries and additional lookups included
  std::size_t records = 0;
  std::string note;  ///< e.g. "looks trimmed: asked again over TCP"; empty where nothing is odd
};

/// The registry's whole answer for one tier: never a difference, always the full set.
/// Discovery speaks to tier selection in this type alone. A value.
struct TierAnswer {
  LookupResult result = LookupResult::kEmpty;
  InstanceSet instances;  ///< normalised; empty unless result is kOk
  TimePoint asked{};      ///< when the (earliest) lookup behind it began
  TimePoint answered{};
  Duration ttl{};
  std::vector<NameAnswer> names;
};

}  // namespace pilotfish
