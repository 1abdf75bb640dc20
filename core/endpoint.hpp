#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/ip_address.hpp"

namespace pilotfish {

/// Address and port: the identity of an instance. Live state (in flight, EWMA, ejection) is keyed
/// by it and survives re-resolution. Thread-safety: a value.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// Parses "10.0.0.1:80" or "[::1]:80"; literals only, port 0..65535.
  static std::optional<Endpoint> parse(std::string_view text);

  /// "10.0.0.1:80" or "[::1]:80".
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const Endpoint&, const Endpoint&) = default;
};

}  // namespace pilotfish

template <>
struct std::hash<pilotfish::Endpoint> {
  std::size_t operator()(const pilotfish::Endpoint& endpoint) const noexcept;
};
