#include "core/ip_address.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>

namespace pilotfish {

IpAddress IpAddress::v4(std::array<std::uint8_t, 4> octets) {
  IpAddress out;
  std::ranges::copy(octets, out.octets_.begin());
  return out;
}

IpAddress IpAddress::v6(std::array<std::uint8_t, 16> octets) {
  IpAddress out;
  out.v6_ = true;
  out.octets_ = octets;
  return out;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN + 1> buffer{};
  // inet_pton would stop at a NUL and believe what is before it.
  if (text.empty() || text.size() >= buffer.size() || text.find('\0') != std::string_view::npos) {
    return std::nullopt;
  }
  std::ranges::copy(text, buffer.begin());
  std::array<std::uint8_t, 4> four{};
  if (inet_pton(AF_INET, buffer.data(), four.data()) == 1) {
    return v4(four);
  }
  std::array<std::uint8_t, 16> sixteen{};
  if (inet_pton(AF_INET6, buffer.data(), sixteen.data()) == 1) {
    return v6(sixteen);
  }
  return std::nullopt;
}

bool IpAddress::is_loopback() const {
  if (!v6_) {
    return octets_[0] == 127;
  }
  return std::all_of(octets_.begin(), octets_.end() - 1, [](auto octet) { return octet == 0; }) &&
         octets_[15] == 1;
}

bool IpAddress::is_unspecified() const {
  return std::ranges::all_of(octets_, [](auto octet) { return octet == 0; });
}

std::string IpAddress::to_string() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  inet_ntop(v6_ ? AF_INET6 : AF_INET, octets_.data(), buffer.data(), buffer.size());
  return buffer.data();
}

}  // namespace pilotfish
