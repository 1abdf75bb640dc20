#include "app/plain_json.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <charconv>
#include <cmath>

namespace pilotfish::app {
namespace {

namespace json = boost::json;

void append(std::string& out, double value) {
  constexpr double kMost = 1e15;  // beyond it a double has no thousandths
  std::array<char, 32> text{};
  const double bounded = std::isfinite(value) ? std::clamp(value, -kMost, kMost) : 0.0;
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), bounded, std::chars_format::fixed, 3)
          .ptr;
  std::string_view digits(text.data(), static_cast<std::size_t>(end - text.data()));
  digits = digits.substr(0, digits.find_last_not_of('0') + 1);
  if (digits.ends_with('.')) {
    digits.remove_suffix(1);
  }
  out += digits == "-0" ? "0" : digits;
}

void append(std::string& out, const json::value& value) {
  bool first = true;
  const auto separate = [&] {
    if (!first) {
      out += ',';
    }
    first = false;
  };
  if (value.is_double()) {
    append(out, value.get_double());
  } else if (const auto* list = value.if_array()) {
    out += '[';
    for (const auto& each : *list) {
      separate();
      append(out, each);
    }
    out += ']';
  } else if (const auto* object = value.if_object()) {
    out += '{';
    for (const auto& each : *object) {
      separate();
      out += json::serialize(each.key());
      out += ':';
      append(out, each.value());
    }
    out += '}';
  } else {
    out += json::serialize(value);
  }
}

}  // namespace

std::string plain_json(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace pilotfish::app
