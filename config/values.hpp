#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <variant>

#include "balancer/options.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "proxy/options.hpp"

namespace pilotfish::config {

/// What is wrong with a text and what to write instead; it reads on after the quoted text:
/// `"10" needs a unit; write 10s`.
struct Mistake {
  std::string what;
};
template <typename V>
using Parsed = std::variant<V, Mistake>;

// Texts of the configuration to values and back. Pure. format_x(parse_x(t)) is canonical, and
// parse_x(format_x(v)) == v.

/// Whole numbers with one of us, ms, s, m, h; a bare 0. At most 10 years.
[[nodiscard]] Parsed<Duration> parse_duration(std::string_view text);
[[nodiscard]] std::string format_duration(Duration value);

/// Bytes: bare, or with B, KiB, MiB, GiB, KB, MB, GB.
[[nodiscard]] Parsed<std::uint64_t> parse_size(std::string_view text);
[[nodiscard]] std::string format_size(std::uint64_t value);

[[nodiscard]] Parsed<std::uint32_t> parse_number(
    std::string_view text, std::uint32_t low = 0,
    std::uint32_t high = std::numeric_limits<std::uint32_t>::max());
/// `20%`, low..100.
[[nodiscard]] Parsed<std::uint32_t> parse_percent(std::string_view text, std::uint32_t low = 0);
[[nodiscard]] Parsed<balancer::MinHealthy> parse_min_healthy(std::string_view text);
[[nodiscard]] std::string format_min_healthy(const balancer::MinHealthy& value);
[[nodiscard]] Parsed<bool> parse_bool(std::string_view text);

/// IP literal and port. `port_zero`: whether port 0 (any free one) is allowed.
[[nodiscard]] Parsed<Endpoint> parse_endpoint(std::string_view text, bool port_zero);
/// As above, or `fd:NAME`.
[[nodiscard]] Parsed<proxy::ListenAddress> parse_listen(std::string_view text);
[[nodiscard]] Parsed<proxy::HashOn> parse_hash_on(std::string_view text);
[[nodiscard]] std::string format_hash_on(const proxy::HashOn& value);

}  // namespace pilotfish::config
