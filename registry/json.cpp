#include "registry/json.hpp"

#include <boost/json/parse.hpp>
#include <charconv>
#include <cmath>

namespace pilotfish::registry {

namespace json = boost::json;

std::optional<json::value> parse_json(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) {
    return std::nullopt;
  }
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::error_code ec;
  auto value = json::parse(json::string_view(text.data(), text.size()), ec, {}, options);
  if (ec) {
    return std::nullopt;
  }
  return value;
}

const json::value* member(const json::value& object, std::string_view key) {
  const auto* fields = object.if_object();
  return fields == nullptr ? nullptr
                           : fields->if_contains(json::string_view(key.data(), key.size()));
}

std::string_view text_of(const json::value& object, std::string_view key) {
  const auto* found = member(object, key);
  const auto* text = found == nullptr ? nullptr : found->if_string();
  return text == nullptr ? std::string_view{} : std::string_view(text->data(), text->size());
}

std::optional<std::int64_t> number_of(const json::value& object, std::string_view key) {
  const auto* found = member(object, key);
  if (found == nullptr) {
    return std::nullopt;
  }
  if (const auto* number = found->if_int64(); number != nullptr) {
    return *number;
  }
  if (const auto* fraction = found->if_double(); fraction != nullptr) {
    constexpr double kLimit = 9.0e18;
    return std::isfinite(*fraction) && std::abs(*fraction) < kLimit
               ? std::optional(static_cast<std::int64_t>(*fraction))
               : std::nullopt;
  }
  if (const auto* text = found->if_string(); text != nullptr) {
    std::int64_t number = 0;
    const auto* end = text->data() + text->size();
    const auto parsed = std::from_chars(text->data(), end, number);
    if (!text->empty() && parsed.ec == std::errc{} && parsed.ptr == end) {
      return number;
    }
  }
  return std::nullopt;
}

}  // namespace pilotfish::registry
