#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace pilotfish::http {

// Words of RFC 9110 section 5 that several readers share. Pure.

/// tchar of RFC 9110 section 5.6.2, by octet.
inline constexpr std::array<bool, 256> kTokenOctets = [] {
  std::array<bool, 256> table{};
  for (const char c : std::string_view("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                                       "ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    table[static_cast<unsigned char>(c)] = true;
  }
  return table;
}();

[[nodiscard]] constexpr bool is_token_octet(char c) {
  return kTokenOctets[static_cast<unsigned char>(c)];
}

/// Token octets alone; also where there is none.
[[nodiscard]] constexpr bool is_token(std::string_view text) {
  return std::ranges::all_of(text, is_token_octet);
}

/// VCHAR, obs-text, SP, HTAB: nothing else belongs into a value (RFC 9110 section 5.5).
[[nodiscard]] constexpr bool is_text_octet(char c) {
  const auto octet = static_cast<unsigned char>(c);
  return (octet >= 0x20 && octet != 0x7f) || octet == '\t';
}

[[nodiscard]] constexpr bool is_text(std::string_view text) {
  return std::ranges::all_of(text, is_text_octet);
}

}  // namespace pilotfish::http
