#pragma once

#include <cstddef>

#include "resolver/dns_message.hpp"

namespace pilotfish::resolver {

/// The UDP size we advertise: c-ares 1.18.1 receives into 4,097 bytes.
inline constexpr std::size_t kAdvertisedSize = 4096;

/// An answer this large comes close to what UDP carries, or would not fit.
[[nodiscard]] constexpr bool exceeds_udp(std::size_t bytes) {
  constexpr std::size_t kMargin = 512;
  return bytes + kMargin >= kAdvertisedSize;
}

/// A UDP answer without TC that a registry may have shortened silently (Consul's default): close to
/// the advertised size, or at most 8 records where EDNS was ignored (Consul gives 3, others 8). An
/// answer without OPT above 512 bytes was capped by somebody in between who keeps his size to
/// himself: dnsmasq forwards 26 of 30 records in 1,199 bytes, without TC and without OPT.
[[nodiscard]] constexpr bool looks_trimmed(std::size_t bytes, std::size_t records, bool has_opt) {
  constexpr std::size_t kFewRecords = 8;
  constexpr std::size_t kPlainDns = 512;
  if (records == 0) {
    return false;  // nothing shortens an answer to nothing
  }
  return exceeds_udp(bytes) || (!has_opt && (records <= kFewRecords || bytes > kPlainDns));
}

/// A TCP answer at Consul's own limits (1,024 records or 65,523 bytes), or near them.
[[nodiscard]] constexpr bool trimmed_over_tcp(std::size_t bytes, std::size_t records) {
  constexpr std::size_t kRecords = 1000;
  constexpr std::size_t kBytes = 64000;
  return records >= kRecords || bytes >= kBytes;
}

}  // namespace pilotfish::resolver
