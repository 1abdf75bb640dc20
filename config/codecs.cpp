#include "config/codecs.hpp"

#include <algorithm>

#include "config/names.hpp"

namespace pilotfish::config {
namespace {

using namespace std::chrono_literals;

std::optional<Node> plain(std::string text) {
  return Node::scalar(std::move(text));
}

/// Texts that another reader of YAML would take for a number or a truth value need quotes.
std::optional<Node> text_node(const std::string& text) {
  const auto lower = to_lower(text);
  const bool word = lower == "true" || lower == "false" || lower == "null" || lower == "yes" ||
                    lower == "no" || lower == "on" || lower == "y" || lower == "n";
  const bool number = text.find_first_not_of("0123456789.+-_eExXoO:") == std::string::npos;
  return Node::scalar(text, word || number);
}

Codec<Duration> duration_codec(std::string type, std::function<std::string(Duration)> wrong) {
  auto parse = [wrong = std::move(wrong)](std::string_view text) -> Parsed<Duration> {
    auto parsed = parse_duration(text);
    if (const auto* value = std::get_if<Duration>(&parsed)) {
      if (auto what = wrong(*value); !what.empty()) {
        return Mistake{std::move(what)};
      }
    }
    return parsed;
  };
  return text_codec<Duration>(std::move(type), std::move(parse),
                              [](const Duration& value) { return plain(format_duration(value)); });
}

std::optional<Node> write_number(const std::uint32_t& value) {
  return plain(std::to_string(value));
}

}  // namespace

Codec<Duration> duration() {
  return duration_codec("duration", [](Duration) { return std::string(); });
}

Codec<Duration> positive_duration() {
  return duration_codec("duration above 0", [](Duration value) -> std::string {
    return value > Duration::zero() ? "" : "must be above 0";
  });
}

Codec<Duration> seconds(Duration low) {
  const auto least = format_duration(low);
  return duration_codec("whole seconds, at least " + least,
                        [low, least](Duration value) -> std::string {
                          if (value % 1s != Duration::zero()) {
                            return "must be whole seconds, like 30s";
                          }
                          return value >= low ? "" : "is too short; " + least + " is the least";
                        });
}

Codec<std::uint32_t> second_count() {
  const auto whole = seconds(0s);
  return through<std::uint32_t, Duration>(
      whole,
      [](const Duration& value) {
        return static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::seconds>(value).count());
      },
      [](const std::uint32_t& value) { return Duration(std::chrono::seconds(value)); });
}

Codec<std::uint64_t> size() {
  return text_codec<std::uint64_t>(
      "size", parse_size, [](const std::uint64_t& value) { return plain(format_size(value)); });
}

Codec<std::size_t> size_between(std::uint64_t low, std::uint64_t high) {
  auto parse = [low, high](std::string_view text) -> Parsed<std::size_t> {
    const auto parsed = parse_size(text);
    if (const auto* mistake = std::get_if<Mistake>(&parsed)) {
      return *mistake;
    }
    const auto value = std::get<std::uint64_t>(parsed);
    if (value < low || value > high) {
      return Mistake{"is out of range; write " + format_size(low) + " to " + format_size(high)};
    }
    return static_cast<std::size_t>(value);
  };
  return text_codec<std::size_t>(
      "size, " + format_size(low) + " to " + format_size(high), std::move(parse),
      [](const std::size_t& value) { return plain(format_size(value)); });
}

Codec<std::uint32_t> number(std::uint32_t low, std::uint32_t high) {
  return text_codec<std::uint32_t>(
      "number, " + std::to_string(low) + " to " + std::to_string(high),
      [low, high](std::string_view text) { return parse_number(text, low, high); }, write_number);
}

Codec<std::uint16_t> port() {
  auto parse = [](std::string_view text) -> Parsed<std::uint16_t> {
    const auto parsed = parse_number(text, 1, 65535);
    if (const auto* mistake = std::get_if<Mistake>(&parsed)) {
      return *mistake;
    }
    return static_cast<std::uint16_t>(std::get<std::uint32_t>(parsed));
  };
  auto write = [](const std::uint16_t& value) -> std::optional<Node> {
    return value == 0 ? std::nullopt : plain(std::to_string(value));
  };
  return text_codec<std::uint16_t>("port, 1 to 65535", std::move(parse), std::move(write));
}

Codec<std::uint32_t> percent() {
  return text_codec<std::uint32_t>(
      "percentage", [](std::string_view text) { return parse_percent(text); },
      [](const std::uint32_t& value) { return plain(std::to_string(value) + "%"); });
}

Codec<bool> boolean() {
  return text_codec<bool>("true or false", parse_bool,
                          [](const bool& value) { return plain(value ? "true" : "false"); });
}

Codec<std::string> text(std::string type) {
  auto parse = [](std::string_view value) -> Parsed<std::string> {
    if (!is_printable(value)) {
      return Mistake{"has a control character; remove it"};
    }
    return std::string(value);
  };
  auto write = [](const std::string& value) {
    return value.empty() ? std::nullopt : text_node(value);
  };
  return text_codec<std::string>(std::move(type), std::move(parse), std::move(write));
}

Codec<std::string> name(std::string type, std::string (*wrong_with)(std::string_view)) {
  auto parse = [wrong_with](std::string_view value) -> Parsed<std::string> {
    if (auto wrong = wrong_with(value); !wrong.empty()) {
      return Mistake{std::move(wrong)};
    }
    return std::string(value);
  };
  return text_codec<std::string>(std::move(type), std::move(parse), text("").write);
}

Codec<std::string> dns_name() {
  auto parse = [](std::string_view value) -> Parsed<std::string> {
    if (IpAddress::parse(value) || Endpoint::parse(value)) {
      return Mistake{"is an address, not a name to look up; addresses go under static:"};
    }
    if (auto wrong = wrong_with_dns_name(value); !wrong.empty()) {
      return Mistake{std::move(wrong)};
    }
    return std::string(value.substr(0, value.size() - (value.ends_with('.') ? 1 : 0)));
  };
  return text_codec<std::string>("DNS name", std::move(parse), text("").write);
}

Codec<Endpoint> endpoint(bool port_zero) {
  return text_codec<Endpoint>(
      "address IP:PORT",
      [port_zero](std::string_view value) { return parse_endpoint(value, port_zero); },
      [](const Endpoint& value) { return plain(value.to_string()); });
}

Codec<std::string> base_url() {
  auto parse = [](std::string_view value) -> Parsed<std::string> {
    if (auto wrong = wrong_with_base_url(value); !wrong.empty()) {
      return Mistake{std::move(wrong)};
    }
    return std::string(value.substr(0, value.size() - (value.ends_with('/') ? 1 : 0)));
  };
  return text_codec<std::string>("URL http://HOST:PORT", std::move(parse), text("").write);
}

Codec<std::map<std::string, std::string>> text_map() {
  using Map = std::map<std::string, std::string>;
  auto read = [](const Scope& scope, const Node& node, Map& out) {
    if (node.kind != Node::Kind::kMap) {
      return scope.fail(node.at,
                        "must be a map of texts, like {version: \"3.2\"}, not " + node.describe());
    }
    bool good = true;
    for (const auto& entry : node.entries) {
      const auto inner = scope.child(entry.key, entry.key_at);
      if (entry.value.failed) {
        good = false;
      } else if (entry.value.kind != Node::Kind::kScalar) {
        good = inner.fail(entry.value.at, "must be a text, not " + entry.value.describe());
      } else if (!is_printable(entry.value.text)) {
        good = inner.fail(entry.value.at,
                          quote(entry.value.text) + " has a control character; remove it");
      } else {
        out[entry.key] = entry.value.text;
      }
    }
    return good;
  };
  auto write = [](const Map& values) -> std::optional<Node> {
    std::vector<Entry> entries;
    for (const auto& [key, value] : values) {
      entries.push_back({key, {}, *text_node(value)});
    }
    return Node::map(std::move(entries));
  };
  return {"map of texts", std::move(read), std::move(write), {}, {}};
}

}  // namespace pilotfish::config
