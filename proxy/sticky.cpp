#include "proxy/sticky.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "proxy/hash_key.hpp"

namespace pilotfish::proxy {
namespace {

constexpr std::size_t kDigits = 16;

/// Calls visit(crumb) for each "name=value" of a Cookie field, without the spaces around it.
template <typename Visit>
void for_each_crumb(std::string_view value, Visit&& visit) {
  while (!value.empty()) {
    const auto end = value.find(';');
    auto crumb = value.substr(0, end);
    value.remove_prefix(end == std::string_view::npos ? value.size() : end + 1);
    while (!crumb.empty() && (crumb.front() == ' ' || crumb.front() == '\t')) {
      crumb.remove_prefix(1);
    }
    while (!crumb.empty() && (crumb.back() == ' ' || crumb.back() == '\t')) {
      crumb.remove_suffix(1);
    }
    if (!crumb.empty()) {
      visit(crumb);
    }
  }
}

bool is_named(std::string_view crumb, std::string_view name) {
  return crumb.size() > name.size() && crumb[name.size()] == '=' && crumb.starts_with(name);
}

std::uint64_t parse_value(std::string_view text) {
  std::uint64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  const bool whole = parsed.ec == std::errc{} && parsed.ptr == text.data() + text.size();
  return whole && text.size() == kDigits ? value : 0;
}

bool has_it(const http::Field& field, std::string_view name) {
  bool found = false;
  if (http::iequals(field.name, "cookie")) {
    for_each_crumb(field.value,
                   [&](std::string_view crumb) { found = found || is_named(crumb, name); });
  }
  return found;
}

}  // namespace

void StickyTable::add(std::string_view upstream, balancer::InstanceState& instance) {
  instances_[sticky_value(upstream, instance)] = balancer::InstanceRef(&instance);
}

void StickyTable::remove(std::string_view upstream, const balancer::InstanceState& instance) {
  instances_.erase(sticky_value(upstream, instance));
}

std::uint64_t sticky_value(std::string_view upstream, const balancer::InstanceState& instance) {
  const auto value = hash_bytes(instance.name, hash_bytes(upstream));
  return value == 0 ? 1 : value;
}

std::uint64_t take_sticky_cookie(http::RequestHead& head, std::string_view name,
                                 std::string& text) {
  std::size_t room = 0;
  for (const auto& field : head.fields) {
    // Crumbs behind a bare ';' get a space more.
    room += has_it(field, name) ? 2 * field.value.size() : 0;
  }
  if (room == 0) {
    return 0;
  }
  text.clear();
  text.reserve(room);  // what refers to it must not move
  std::uint64_t value = 0;
  for (auto& field : head.fields) {
    if (!has_it(field, name)) {
      continue;
    }
    const auto begin = text.size();
    for_each_crumb(field.value, [&](std::string_view crumb) {
      if (is_named(crumb, name)) {
        value = parse_value(crumb.substr(name.size() + 1));
        return;
      }
      text.append(text.size() > begin ? "; " : "").append(crumb);
    });
    field.value = std::string_view(text).substr(begin);
    field.name = field.value.empty() ? std::string_view() : field.name;
  }
  std::erase_if(head.fields, [](const http::Field& field) { return field.name.empty(); });
  return value;
}

void write_sticky_cookie(std::string_view name, std::uint64_t value, Duration ttl,
                         std::string& out) {
  std::array<char, kDigits> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, 16).ptr;
  const auto size = static_cast<std::size_t>(end - digits.data());
  out.append("Set-Cookie: ").append(name).append("=").append(kDigits - size, '0');
  out.append(digits.data(), size).append("; Path=/; Max-Age=");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(ttl).count();
  std::array<char, 20> number{};
  const auto last = std::to_chars(number.data(), number.data() + number.size(), seconds).ptr;
  out.append(number.data(), static_cast<std::size_t>(last - number.data()));
  out.append("; HttpOnly; SameSite=Lax\r\n");
}

}  // namespace pilotfish::proxy
