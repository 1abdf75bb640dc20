#include "registry/etcd_codec.hpp"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>
#include <chrono>

#include "registry/json.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry::etcd {
namespace {

namespace json = boost::json;

/// Go's time.Duration holds 292 years; a year is more than any lease needs and cannot overflow.
constexpr std::int64_t kMaxTtlSeconds = 366LL * 24 * 3600;

Duration to_ttl(std::int64_t seconds) {
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, kMaxTtlSeconds));
}

}  // namespace

std::string encode_grant(Duration ttl) {
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(ttl).count();
  return json::serialize(json::object{
      {"TTL", std::to_string(std::clamp<std::int64_t>(seconds, 1, kMaxTtlSeconds))}, {"ID", "0"}});
}

std::string encode_put(std::string_view key, std::string_view value, std::int64_t lease) {
  json::object out{{"key", base64_encode(key)}, {"value", base64_encode(value)}};
  if (lease != 0) {
    out["lease"] = std::to_string(lease);
  }
  return json::serialize(out);
}

std::string encode_key(std::string_view key) {
  return json::serialize(json::object{{"key", base64_encode(key)}});
}

std::string encode_lease(std::int64_t lease_id) {
  return json::serialize(json::object{{"ID", std::to_string(lease_id)}});
}

std::optional<Lease> decode_grant(std::string_view body) {
  const auto root = parse_json(body);
  const auto id = root ? number_of(*root, "ID") : std::nullopt;
  const auto ttl = root ? number_of(*root, "TTL") : std::nullopt;
  if (!id || *id == 0 || !ttl || *ttl <= 0) {
    return std::nullopt;
  }
  return Lease{*id, to_ttl(*ttl)};
}

std::optional<Duration> decode_keepalive(std::string_view body) {
  auto root = parse_json(body);
  if (!root) {
    // It is a stream of answers, one a line; the first is the one asked for.
    root = parse_json(body.substr(0, body.find('\n')));
  }
  const auto* result = root ? member(*root, "result") : nullptr;
  if (result == nullptr || !result->is_object()) {
    return std::nullopt;
  }
  // The gateway leaves fields that are zero out: no TTL means that the lease is gone.
  if (member(*result, "TTL") == nullptr) {
    return Duration::zero();
  }
  const auto ttl = number_of(*result, "TTL");
  return ttl ? std::optional(to_ttl(*ttl)) : std::nullopt;
}

std::optional<std::vector<Record>> decode_range(std::string_view body) {
  const auto root = parse_json(body);
  if (!root || member(*root, "header") == nullptr) {
    return std::nullopt;
  }
  std::vector<Record> records;
  const auto* kvs = member(*root, "kvs");
  if (kvs == nullptr || !kvs->is_array()) {
    return records;
  }
  for (const auto& kv : kvs->get_array()) {
    auto key = base64_decode(text_of(kv, "key"));
    auto value = base64_decode(text_of(kv, "value"));
    if (key && value) {
      records.push_back({std::move(*key), std::move(*value), number_of(kv, "lease").value_or(0)});
    }
  }
  return records;
}

bool is_lease_gone(unsigned status, std::string_view body) {
  return status >= 400 && body.find("lease not found") != std::string_view::npos;
}

std::string error_text(std::string_view body) {
  const auto root = parse_json(body);
  if (root) {
    for (const auto* key : {"message", "error"}) {
      if (const auto text = text_of(*root, key); !text.empty()) {
        return shorten(text);
      }
    }
  }
  return shorten(body);
}

}  // namespace pilotfish::registry::etcd
