#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pilotfish::config {

// Names and addresses as texts: what can be asked over DNS, and where HTTP can be spoken. Pure.
// Functions named `wrong_with_x` return what is wrong (it reads on after the quoted text), or
// nothing where the text is fine.

[[nodiscard]] std::string to_lower(std::string_view text);
/// Without control characters.
[[nodiscard]] bool is_printable(std::string_view text);
/// A field name of HTTP (RFC 9110, token).
[[nodiscard]] bool is_token(std::string_view text);
/// [A-Za-z0-9_.-]+, at most 128.
[[nodiscard]] bool is_plain_name(std::string_view text);

/// A name to be asked over DNS: labels of 1..63, 253 in all; one dot may end it.
[[nodiscard]] std::string wrong_with_dns_name(std::string_view text);
/// A Consul service or datacenter: one label (a dot would be read as tag.service).
[[nodiscard]] std::string wrong_with_label(std::string_view text);
/// A Consul datacenter: a label that Consul's DNS does not take for the kind of question, as it
/// reads names from the right: service, node, query and the like, or what begins with an
/// underscore.
[[nodiscard]] std::string wrong_with_datacenter(std::string_view text);
/// A tag that is asked for as `TAG.SERVICE.service...`: dots are fine, each label is 1..63.
[[nodiscard]] std::string wrong_with_tag(std::string_view text);

struct HostPort {
  std::string_view host;  ///< without brackets
  std::string_view port;
};
/// At the last colon; nullopt without one, or where an IPv6 literal has no brackets.
[[nodiscard]] std::optional<HostPort> split_host_port(std::string_view text);
/// 1..65535.
[[nodiscard]] std::optional<std::uint16_t> parse_port(std::string_view text);
/// An IP literal or a DNS name.
[[nodiscard]] bool is_host(std::string_view text);

/// A base URL: `http://HOST:PORT`, with nothing but a slash behind it. https is told apart.
[[nodiscard]] std::string wrong_with_base_url(std::string_view text);
/// Consul's HTTP API as http://HOST:PORT, HOST:PORT, unix://PATH, in canonical form, or empty with
/// `*why` set.
[[nodiscard]] std::string consul_url(std::string_view text, std::string* why);
/// A URL to be checked: http://HOST[:PORT][/PATH], https too where `https` says so.
[[nodiscard]] std::string wrong_with_check_url(std::string_view text, bool https);
/// The URL with the password in it, if any, as <redacted>.
[[nodiscard]] std::string redact_url(std::string_view url);

}  // namespace pilotfish::config
