#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace pilotfish {

/// An IPv4 or IPv6 address as a value. Our own type, so that pure code needs no networking library.
/// Thread-safety: a value, free of shared state.
class IpAddress {
 public:
  IpAddress() = default;  // 0.0.0.0
  static IpAddress v4(std::array<std::uint8_t, 4> octets);
  static IpAddress v6(std::array<std::uint8_t, 16> octets);

  /// Parses a literal ("10.0.0.1", "::1"; no brackets, no scope). Empty optional where it is none.
  static std::optional<IpAddress> parse(std::string_view text);

  [[nodiscard]] bool is_v4() const { return !v6_; }
  [[nodiscard]] bool is_v6() const { return v6_; }
  [[nodiscard]] bool is_loopback() const;
  [[nodiscard]] bool is_unspecified() const;

  /// The octets in network order: 4 or 16 of them.
  [[nodiscard]] std::span<const std::uint8_t> octets() const {
    return {octets_.data(), v6_ ? 16U : 4U};
  }

  /// Canonical text (RFC 5952 for IPv6), without brackets.
  [[nodiscard]] std::string to_string() const;

  friend auto operator<=>(const IpAddress&, const IpAddress&) = default;

 private:
  bool v6_ = false;
  std::array<std::uint8_t, 16> octets_{};
};

}  // namespace pilotfish
