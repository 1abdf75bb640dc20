#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::registry::etcd {

// Bodies of etcd's v3 JSON gateway: keys and values in base64, 64-bit numbers as strings.
// Pure; nothing here throws.

struct Lease {
  std::int64_t id = 0;
  Duration ttl{};  ///< as the server granted it
};

struct Record {
  std::string key;
  std::string value;
  std::int64_t lease = 0;
};

std::string encode_grant(Duration ttl);  ///< rounded up to whole seconds, at least 1
/// `lease` 0: a record that stays until it is deleted.
std::string encode_put(std::string_view key, std::string_view value, std::int64_t lease);
std::string encode_key(std::string_view key);     ///< range and deleterange, one key
std::string encode_lease(std::int64_t lease_id);  ///< keepalive and revoke

std::optional<Lease> decode_grant(std::string_view body);
/// The remaining time; zero where the lease is gone; nothing where the answer is not understood.
std::optional<Duration> decode_keepalive(std::string_view body);
/// The records found, possibly none; nothing where the answer is not understood.
std::optional<std::vector<Record>> decode_range(std::string_view body);

/// True where an error answer says that the lease does not exist.
bool is_lease_gone(unsigned status, std::string_view body);
/// The gateway's own words for an error, else the body; fit for a log line.
std::string error_text(std::string_view body);

}  // namespace pilotfish::registry::etcd
