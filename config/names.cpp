#include "config/names.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "core/ip_address.hpp"

namespace pilotfish::config {
namespace {

constexpr std::size_t kLongestLabel = 63;  // RFC 1035, 2.3.4
constexpr std::size_t kLongestName = 253;

bool letter_or_digit(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0;
}

/// Labels of a name; an empty one where dots touch or stand at an end.
template <typename Check>
std::string check_labels(std::string_view text, Check&& good_character) {
  if (text.size() > kLongestName) {
    return "is longer than a DNS name can be (253)";
  }
  while (true) {
    const auto dot = text.find('.');
    const auto label = text.substr(0, dot);
    if (label.empty()) {
      return "has an empty part between dots";
    }
    if (label.size() > kLongestLabel) {
      return "has a part longer than a DNS label can be (63)";
    }
    const auto bad = std::ranges::find_if_not(label, good_character);
    if (bad != label.end()) {
      const bool visible = *bad > ' ' && *bad < 0x7F;
      return "cannot be asked over DNS" +
             (visible ? std::string(" because of '") + *bad + "'"
                      : std::string(*bad == ' ' ? " because of a space" : "; use plain ASCII"));
    }
    if (dot == std::string_view::npos) {
      return {};
    }
    text.remove_prefix(dot + 1);
  }
}

bool name_character(char c) {
  return letter_or_digit(c) || c == '-' || c == '_';
}

struct Url {
  std::string_view scheme;
  std::string_view user;  ///< before '@'; data() is nullptr where there is none
  std::string_view authority;
  std::string_view rest;  ///< path, query, fragment
};

std::optional<Url> split_url(std::string_view text) {
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  Url out;
  out.scheme = text.substr(0, colon);
  text.remove_prefix(colon + 3);
  const auto end = std::min(text.find_first_of("/?#"), text.size());
  out.authority = text.substr(0, end);
  out.rest = text.substr(end);
  if (const auto sign = out.authority.rfind('@'); sign != std::string_view::npos) {
    out.user = out.authority.substr(0, sign);
    out.authority.remove_prefix(sign + 1);
  }
  return out;
}

bool good_authority(std::string_view text) {
  const auto parts = split_host_port(text);
  return parts && is_host(parts->host) && parse_port(parts->port);
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return out;
}

bool is_printable(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

bool is_token(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) {
    return letter_or_digit(c) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_plain_name(std::string_view text) {
  return !text.empty() && text.size() <= 128 &&
         std::ranges::all_of(text, [](char c) { return name_character(c) || c == '.'; });
}

std::string wrong_with_dns_name(std::string_view text) {
  if (text.ends_with('.')) {
    text.remove_suffix(1);
  }
  return check_labels(text, name_character);
}

std::string wrong_with_label(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    return "has a dot; over DNS Consul would read it as a tag and another service";
  }
  return check_labels(text, name_character);
}

std::string wrong_with_datacenter(std::string_view text) {
  constexpr std::array<std::string_view, 7> kKinds{"service", "connect", "virtual", "ingress",
                                                   "node",    "query",   "addr"};
  if (text.starts_with('_') || std::ranges::find(kKinds, to_lower(text)) != kKinds.end()) {
    return "cannot be asked over DNS: Consul would take it for the kind of question; ask an agent "
           "of that datacenter instead (consul: {http: ..., dns: ...})";
  }
  return wrong_with_label(text);
}

std::string wrong_with_tag(std::string_view text) {
  return check_labels(text, [](char c) {
    return c > ' ' && c < 0x7F && std::string_view("\"();@\\").find(c) == std::string_view::npos;
  });
}

std::optional<HostPort> split_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) {
    return std::nullopt;
  }
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
    if (host.find(':') == std::string_view::npos) {
      return std::nullopt;  // brackets are for IPv6 alone
    }
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  return HostPort{host, text.substr(colon + 1)};
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  const bool good = !text.empty() && parsed.ec == std::errc{} && parsed.ptr == end && port != 0;
  return good ? std::optional(port) : std::nullopt;
}

bool is_host(std::string_view text) {
  if (IpAddress::parse(text)) {
    return true;
  }
  // All digits and dots, yet no address: a mistyped one, never a name.
  const bool numeric = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return !numeric && wrong_with_dns_name(text).empty();
}

std::string wrong_with_base_url(std::string_view text) {
  const auto url = split_url(text);
  if (!url || (url->scheme != "http" && url->scheme != "https")) {
    return "is not a URL; write http://HOST:PORT";
  }
  if (url->scheme == "https") {
    return "needs TLS, and TLS is not supported yet; write http://HOST:PORT";
  }
  if (url->user.data() != nullptr) {
    return "has a user name in it, which is not supported; write http://HOST:PORT";
  }
  if (!good_authority(url->authority)) {
    return "has no good host and port; write http://HOST:PORT";
  }
  if (!url->rest.empty() && url->rest != "/") {
    return "has a path behind the port; write http://HOST:PORT alone";
  }
  return {};
}

std::string consul_url(std::string_view text, std::string* why) {
  constexpr std::string_view kUnix = "unix://";
  if (text.starts_with(kUnix)) {
    if (!text.substr(kUnix.size()).starts_with('/') || text.ends_with('/')) {
      *why = "has no absolute path; write unix:///run/consul.sock";
      return {};
    }
    // sockaddr_un has room for 107 bytes and a zero.
    if (text.size() - kUnix.size() > 107) {
      *why = "has a path too long for a Unix socket (107 bytes)";
      return {};
    }
    return std::string(text);
  }
  const bool bare = text.find("://") == std::string_view::npos;
  std::string url = bare ? "http://" + std::string(text) : std::string(text);
  *why = wrong_with_base_url(url);
  if (!why->empty()) {
    if (!text.starts_with("https://")) {
      *why = "is not where Consul's API can be; write http://HOST:PORT, HOST:PORT or unix://PATH";
    }
    return {};
  }
  if (url.ends_with('/')) {
    url.pop_back();
  }
  return url;
}

std::string wrong_with_check_url(std::string_view text, bool https) {
  const auto url = split_url(text);
  if (!url || (url->scheme != "http" && url->scheme != "https")) {
    return "is not a URL to check; write http://HOST:PORT/PATH";
  }
  if (url->scheme == "https" && !https) {
    return "needs TLS, and TLS is not supported yet; write http://HOST:PORT/PATH";
  }
  const bool with_port = good_authority(url->authority);
  const bool bare_host = url->authority.find(':') == std::string_view::npos
                             ? is_host(url->authority)
                             : url->authority.starts_with('[') && url->authority.ends_with(']') &&
                                   is_host(url->authority.substr(1, url->authority.size() - 2));
  if (!with_port && !bare_host) {
    return "has no good host and port; write http://HOST:PORT/PATH";
  }
  const bool plain = std::ranges::all_of(url->rest, [](char c) { return c > ' ' && c < 0x7F; });
  return plain ? "" : "has a character that no URL may have; percent-encode it";
}

std::string redact_url(std::string_view url) {
  const auto parts = split_url(url);
  if (!parts || parts->user.data() == nullptr) {
    return std::string(url);
  }
  const auto colon = parts->user.find(':');
  if (colon == std::string_view::npos) {
    return std::string(url);
  }
  return std::string(parts->scheme) + "://" + std::string(parts->user.substr(0, colon)) +
         ":<redacted>@" + std::string(parts->authority) + std::string(parts->rest);
}

}  // namespace pilotfish::config
