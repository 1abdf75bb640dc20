#include "bench/report/html_text.hpp"

#include <array>
#include <cstdint>

namespace pilotfish::bench {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return static_cast<std::uint8_t>(text[at]);
}

/// Length of the well-formed sequence that `text` begins with (RFC 3629); 0 where there is none.
std::size_t sequence(std::string_view text) {
  struct Lead {
    std::uint8_t from, to, second_from, second_to;
    std::size_t length;
  };
  static constexpr auto kLeads = std::to_array<Lead>({{0xc2, 0xdf, 0x80, 0xbf, 2},
                                                      {0xe0, 0xe0, 0xa0, 0xbf, 3},
                                                      {0xe1, 0xec, 0x80, 0xbf, 3},
                                                      {0xed, 0xed, 0x80, 0x9f, 3},
                                                      {0xee, 0xef, 0x80, 0xbf, 3},
                                                      {0xf0, 0xf0, 0x90, 0xbf, 4},
                                                      {0xf1, 0xf3, 0x80, 0xbf, 4},
                                                      {0xf4, 0xf4, 0x80, 0x8f, 4}});
  const auto first = byte_at(text, 0);
  if (first < 0x80) return 1;
  for (const auto& lead : kLeads) {
    if (first < lead.from || first > lead.to) continue;
    if (text.size() < lead.length) return 0;
    const auto second = byte_at(text, 1);
    if (second < lead.second_from || second > lead.second_to) return 0;
    for (std::size_t i = 2; i < lead.length; ++i) {
      if ((byte_at(text, i) & 0xc0U) != 0x80U) return 0;
    }
    return lead.length;
  }
  return 0;
}

bool is_control(std::string_view character) {
  const auto first = byte_at(character, 0);
  if (character.size() == 2) return first == 0xc2 && byte_at(character, 1) < 0xa0;  // C1
  return character.size() == 1 &&
         (first == 0x7f || (first < 0x20 && first != '\t' && first != '\n'));
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = sequence(text);
    const auto character = text.substr(0, length == 0 ? 1 : length);
    result += length == 0 || is_control(character) ? kReplacement : character;
    text.remove_prefix(character.size());
  }
  return result;
}

std::string html(std::string_view text) {
  std::string result;
  for (const char c : clean_text(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

}  // namespace pilotfish::bench
