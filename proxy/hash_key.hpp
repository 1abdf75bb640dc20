#pragma once

#include <cstdint>
#include <string_view>

#include "balancer/options.hpp"
#include "http/head.hpp"
#include "proxy/options.hpp"

namespace pilotfish::proxy {

[[nodiscard]] constexpr bool uses_hash(balancer::Algorithm algorithm) {
  return algorithm == balancer::Algorithm::kRingHash || algorithm == balancer::Algorithm::kMaglev;
}

/// FNV-1a with a final mix, so that near keys land far apart. The same on every machine: sidecars
/// of one fleet agree on the instance.
[[nodiscard]] constexpr std::uint64_t hash_bytes(std::string_view bytes,
                                                 std::uint64_t digest = 0xcbf29ce484222325ULL) {
  for (const char c : bytes) {
    digest ^= static_cast<unsigned char>(c);
    digest *= 0x100000001b3ULL;
  }
  digest ^= digest >> 33U;
  digest *= 0xff51afd7ed558ccdULL;
  digest ^= digest >> 33U;
  return digest;
}

[[nodiscard]] inline std::uint64_t hash_source(const Endpoint& client) {
  const auto octets = client.address.octets();
  // The octets as characters: the address alone, so that every connection of a client agrees.
  std::string_view text(reinterpret_cast<const char*>(octets.data()), octets.size());  // NOLINT
  return hash_bytes(text);
}

/// The first field of that name, in any case; nullptr where there is none.
[[nodiscard]] inline const http::Field* find_field(const http::RequestHead& request,
                                                   std::string_view name) {
  for (const auto& field : request.fields) {
    if (http::iequals(field.name, name)) {
      return &field;
    }
  }
  return nullptr;
}

/// `hash_on: source_ip | header:NAME`; a request without that field hashes as the empty value.
[[nodiscard]] inline std::uint64_t hash_key(const HashOn& hash_on, const Endpoint& client,
                                            const http::RequestHead& request) {
  if (hash_on.source_ip) {
    return hash_source(client);
  }
  const auto* field = find_field(request, hash_on.header);
  return hash_bytes(field == nullptr ? std::string_view() : field->value);
}

}  // namespace pilotfish::proxy
