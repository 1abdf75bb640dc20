#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.hpp"

namespace pilotfish::registry {

/// Base64 with padding (RFC 4648 section 4), as etcd's JSON gateway carries keys and values.
std::string base64_encode(std::string_view data);
/// Nothing where the text is not whole, padded base64.
std::optional<std::string> base64_decode(std::string_view text);

/// Everything but RFC 3986's unreserved characters and the colon as %XX; for one segment of a path
/// or one value of a query.
std::string percent_encode(std::string_view text);

/// A duration as Go reads it: "10s", "250ms", "1500us".
std::string go_duration(Duration duration);

/// What an untrusted server said, fit for one log line: one line, at most 200 characters.
std::string shorten(std::string_view text);

/// `<name>-<address>-<port>`, the id of an announcement.
std::string service_id(std::string_view name, std::string_view address, std::uint16_t port);

}  // namespace pilotfish::registry
