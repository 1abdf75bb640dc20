#include "http/target.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace pilotfish::http {
namespace {

bool visible_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f; });
}

}  // namespace

bool good_host(std::string_view host) {
  if (host.empty()) {
    return false;
  }
  std::string_view port;
  if (host.front() == '[') {
    const auto close = host.find(']');
    if (close == std::string_view::npos || close < 3) {
      return false;
    }
    const auto inside = host.substr(1, close - 1);
    if (inside.find_first_not_of("0123456789abcdefABCDEF:.vV%") != std::string_view::npos) {
      return false;
    }
    port = host.substr(close + 1);
    if (!port.empty() && port.front() != ':') {
      return false;
    }
  } else {
    const auto colon = host.find(':');
    const auto name = host.substr(0, colon);
    const bool clean = std::ranges::all_of(name, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             std::string_view("-._~%!$&'()*+;=").find(c) != std::string_view::npos;
    });
    if (name.empty() || !clean) {
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
  // "http://host?query" has no path of its own; sending "?query" on would not be origin-form.
  // OPTIONS without a path means the server as a whole (RFC 9112 section 3.2.4).
  const std::string_view whole = head.method == Method::kOptions ? "*" : "/";
  head.path = slash == std::string_view::npos ? whole : rest.substr(slash);
  return good_host(head.authority) && head.path.front() != '?';
}

}  // namespace pilotfish::http
