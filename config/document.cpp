#include "config/document.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace pilotfish::config {

Node Node::scalar(std::string value, bool in_quotes) {
  Node out;
  out.kind = Kind::kScalar;
  out.text = std::move(value);
  out.quoted = in_quotes;
  return out;
}

Node Node::sequence(std::vector<Node> nodes) {
  Node out;
  out.kind = Kind::kSequence;
  out.items = std::move(nodes);
  return out;
}

Node Node::map(std::vector<Entry> nodes) {
  Node out;
  out.kind = Kind::kMap;
  out.entries = std::move(nodes);
  return out;
}

const Node* Node::find(std::string_view key) const {
  const auto found = std::ranges::find(entries, key, &Entry::key);
  return found == entries.end() ? nullptr : &found->value;
}

std::string Node::describe() const {
  switch (kind) {
    case Kind::kNull: return "no value";
    case Kind::kScalar: return quote(text);
    case Kind::kSequence: return "a list";
    case Kind::kMap: return "a map";
  }
  return {};
}

std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto octet = static_cast<unsigned char>(c);
    if (octet < 0x20 || octet == 0x7F) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\x%02x", octet);
      out += escaped.data();
    } else {
      out += c;
    }
  }
  return out;
}

std::string quote(std::string_view text) {
  constexpr std::size_t kLongest = 80;
  auto end = std::min(text.size(), kLongest);
  while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
    ++end;  // not within a character
  }
  return '"' + printable(text.substr(0, end)) + (end < text.size() ? "...\"" : "\"");
}

}  // namespace pilotfish::config
