#include "http/target.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "core/ip_address.hpp"

namespace pilotfish::http {
namespace {

bool visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

bool is_hex(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// unreserved, sub-delims and, in whole, percent-encoded octets; `more` beside them.
bool is_reg_name(std::string_view text, std::string_view more = {}) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '%') {
      if (text.size() - i < 3 || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
        return false;
      }
      i += 2;
    } else if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 std::string_view("-._~!$&'()*+,;=").find(c) != std::string_view::npos ||
                 more.find(c) != std::string_view::npos)) {
      return false;
    }
  }
  return true;
}

/// What stands between brackets: an IPv6 address, with a zone (RFC 6874) or not, or a form of the
/// future, "v1.x" (RFC 3986 section 3.2.2).
bool is_ip_literal(std::string_view text) {
  if (text.starts_with('v') || text.starts_with('V')) {
    const auto dot = text.find('.');
    return dot != std::string_view::npos && dot > 1 && dot + 1 < text.size() &&
           std::ranges::all_of(text.substr(1, dot - 1), is_hex) &&
           text.find('%') == std::string_view::npos && is_reg_name(text.substr(dot + 1), ":");
  }
  const auto zone = text.find('%');
  if (zone != std::string_view::npos &&
      (!text.substr(zone).starts_with("%25") || zone + 3 == text.size() ||
       !is_reg_name(text.substr(zone + 3)))) {
    return false;
  }
  const auto address = IpAddress::parse(text.substr(0, zone));
  return address && address->is_v6();
}

}  // namespace

bool good_host(std::string_view host) {
  if (host.empty()) {
    return false;
  }
  std::string_view port;
  if (host.front() == '[') {
    const auto close = host.find(']');
    if (close == std::string_view::npos || !is_ip_literal(host.substr(1, close - 1))) {
      return false;
    }
    port = host.substr(close + 1);
    if (!port.empty() && port.front() != ':') {
      return false;
    }
  } else {
    const auto colon = host.find(':');
    const auto name = host.substr(0, colon);
    // A comma is a sub-delim too, but two names to whoever joins fields.
    if (name.empty() || name.find(',') != std::string_view::npos || !is_reg_name(name)) {
      return false;
    }
    port = colon == std::string_view::npos ? std::string_view{} : host.substr(colon);
  }
  if (port.size() <= 1) {
    return true;  // none, or the empty port the grammar allows
  }
  port.remove_prefix(1);
  std::uint16_t number = 0;
  const auto parsed = std::from_chars(port.data(), port.data() + port.size(), number);
  return parsed.ec == std::errc{} && parsed.ptr == port.data() + port.size();
}

bool digest_target(RequestHead& head) {
  const auto target = head.target;
  if (target.empty() || !visible_ascii(target) || target.find('#') != std::string_view::npos) {
    return false;
  }
  if (target.front() == '/') {
    head.path = target;
    return true;
  }
  if (target == "*") {
    head.path = target;
    return head.method == Method::kOptions;
  }
  constexpr std::string_view kHttp = "http://";
  constexpr std::string_view kHttps = "https://";
  const bool secure =
      target.size() > kHttps.size() && iequals(target.substr(0, kHttps.size()), kHttps);
  if (!secure &&
      !(target.size() > kHttp.size() && iequals(target.substr(0, kHttp.size()), kHttp))) {
    return false;
  }
  const auto rest = target.substr(secure ? kHttps.size() : kHttp.size());
  const auto slash = rest.find_first_of("/?");
  head.authority = rest.substr(0, slash);
  // OPTIONS without a path means the server as a whole (RFC 9112 section 3.2.4).
  const std::string_view whole = head.method == Method::kOptions ? "*" : "/";
  head.path = slash == std::string_view::npos ? whole : rest.substr(slash);
  return good_host(head.authority);
}

}  // namespace pilotfish::http
