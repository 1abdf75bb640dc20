#pragma once

#include <cstdint>
#include <string_view>

namespace pilotfish::proxy {

// What people send to a port, or get from an instance, that speaks HTTP/1.1 only. Pure.

enum class Foreign : std::uint8_t { kNone, kTls, kHttp2 };

/// By a connection's first bytes: a TLS record (RFC 8446 section 5.1), or HTTP/2's preface (RFC
/// 9113 section 3.4). kNone also for too few of them.
[[nodiscard]] Foreign foreign_protocol(std::string_view first);

/// True where an instance's first bytes are a TLS record: as a rule an alert, as it got no
/// ClientHello.
[[nodiscard]] inline bool is_tls(std::string_view first) {
  return foreign_protocol(first) == Foreign::kTls;
}

/// For the log and the 400 that such a client gets: what came, and what to do about it.
[[nodiscard]] std::string_view foreign_advice(Foreign protocol);

}  // namespace pilotfish::proxy
