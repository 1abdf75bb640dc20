#include "core/endpoint.hpp"

#include <charconv>

namespace pilotfish {

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  auto host = text.substr(0, colon);
  const auto port_text = text.substr(colon + 1);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) {
    host = host.substr(1, host.size() - 2);
  }
  const auto address = IpAddress::parse(host);
  if (!address || address->is_v6() != bracketed) {
    return std::nullopt;
  }
  std::uint16_t port = 0;
  const auto* end = port_text.data() + port_text.size();
  const auto parsed = std::from_chars(port_text.data(), end, port);
  if (port_text.empty() || parsed.ec != std::errc{} || parsed.ptr != end) {
    return std::nullopt;
  }
  return Endpoint{*address, port};
}

std::string Endpoint::to_string() const {
  const auto host = address.to_string();
  return (address.is_v6() ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace pilotfish

std::size_t std::hash<pilotfish::Endpoint>::operator()(
    const pilotfish::Endpoint& endpoint) const noexcept {
  // FNV-1a: the sets are small and the keys come from the registry, not from clients.
  std::size_t digest = 0xcbf29ce484222325ULL;
  const auto mix = [&digest](std::uint8_t octet) {
    digest ^= octet;
    digest *= 0x100000001b3ULL;
  };
  for (const auto octet : endpoint.address.octets()) {
    mix(octet);
  }
  mix(static_cast<std::uint8_t>(endpoint.port >> 8U));
  mix(static_cast<std::uint8_t>(endpoint.port & 0xffU));
  return digest;
}
