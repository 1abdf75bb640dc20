#include "registry/skydns.hpp"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

namespace pilotfish::registry {
namespace {

constexpr std::size_t kMaxLabel = 63;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::string digest(std::string_view text) {
  std::uint32_t hash = 0x811c9dc5U;  // FNV-1a
  for (const char c : text) {
    hash = (hash ^ static_cast<std::uint8_t>(c)) * 0x01000193U;
  }
  std::string out;
  for (int shift = 28; shift >= 0; shift -= 4) {
    out += "0123456789abcdef"[hash >> static_cast<unsigned>(shift) & 15U];
  }
  return out;
}

}  // namespace

std::string skydns_label(std::string_view id) {
  std::string label;
  for (const char raw : id) {
    const char c = lower(raw);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
    label += plain ? c : '-';
  }
  if (label.size() > kMaxLabel) {
    label = label.substr(0, kMaxLabel - 9) + '-' + digest(id);
  }
  return label;
}

std::string skydns_key(std::string_view prefix, std::string_view srv, std::string_view id) {
  std::string path;
  while (!srv.empty()) {
    const auto dot = srv.find('.');
    const auto label = srv.substr(0, dot);
    srv.remove_prefix(dot == std::string_view::npos ? srv.size() : dot + 1);
    if (!label.empty()) {
      std::string segment = "/";
      for (const char c : label) {
        segment += lower(c);
      }
      path.insert(0, segment);
    }
  }
  if (path.empty()) {
    return {};
  }
  while (prefix.ends_with('/')) {
    prefix.remove_suffix(1);
  }
  std::string key(prefix.starts_with('/') || prefix.empty() ? "" : "/");
  return key.append(prefix).append(path).append("/").append(skydns_label(id));
}

std::string skydns_value(const Announcement& announcement, std::string_view host) {
  boost::json::object value;
  value["host"] = boost::json::string_view(host.data(), host.size());
  value["port"] = announcement.port;
  value["priority"] = announcement.priority;
  value["weight"] = announcement.weight;
  if (announcement.ttl > 0) {
    value["ttl"] = announcement.ttl;
  }
  return boost::json::serialize(value);
}

}  // namespace pilotfish::registry
