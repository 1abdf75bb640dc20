#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "config/codec.hpp"
#include "config/hints.hpp"
#include "config/nearest.hpp"

namespace pilotfish::config {

// The kinds of values that the tables use. Each says its form and range in `type`.

[[nodiscard]] Codec<Duration> duration();           ///< 0 and above
[[nodiscard]] Codec<Duration> positive_duration();  ///< above 0
/// Whole seconds, from `low` on.
[[nodiscard]] Codec<Duration> seconds(Duration low);
/// Whole seconds as a number of the module; 0 is "none" and is written so.
[[nodiscard]] Codec<std::uint32_t> second_count();
[[nodiscard]] Codec<std::uint64_t> size();
[[nodiscard]] Codec<std::size_t> size_between(std::uint64_t low, std::uint64_t high);
[[nodiscard]] Codec<std::uint32_t> number(std::uint32_t low, std::uint32_t high);
[[nodiscard]] Codec<std::uint16_t> port();
[[nodiscard]] Codec<std::uint32_t> percent();
[[nodiscard]] Codec<bool> boolean();
/// Any text but an empty one and control characters; an empty value is not written.
[[nodiscard]] Codec<std::string> text(std::string type);
/// A text that `wrong_with` finds nothing wrong with.
[[nodiscard]] Codec<std::string> name(std::string type,
                                      std::string (*wrong_with)(std::string_view));
[[nodiscard]] Codec<std::string> dns_name();  ///< without the last dot
[[nodiscard]] Codec<Endpoint> endpoint(bool port_zero);
/// Base URL http://HOST:PORT.
[[nodiscard]] Codec<std::string> base_url();
/// Text to text.
[[nodiscard]] Codec<std::map<std::string, std::string>> text_map();

/// One of a closed list of words. `hints`: for words that are none, and that people try.
template <typename E>
Codec<E> word_of(std::vector<std::pair<std::string, E>> words, Hints hints = {}) {
  std::string type;
  std::vector<std::string> names;
  for (const auto& [word, value] : words) {
    type += (type.empty() ? "" : ", ") + word;
    names.push_back(word);
  }
  auto parse = [words, names, type, hints](std::string_view text) -> Parsed<E> {
    for (const auto& [word, value] : words) {
      if (word == text) {
        return value;
      }
    }
    if (const auto* hint = find_hint(hints, text)) {
      return Mistake{(hint->later ? "is not built yet; " : "is none of " + type + "; ") +
                     std::string(hint->advice)};
    }
    return Mistake{"is none of " + type + did_you_mean(text, names)};
  };
  auto write = [words](const E& value) -> std::optional<Node> {
    for (const auto& [word, candidate] : words) {
      if (candidate == value) {
        return Node::scalar(word);
      }
    }
    return std::nullopt;
  };
  return text_codec<E>("one of " + type, std::move(parse), std::move(write));
}

}  // namespace pilotfish::config
