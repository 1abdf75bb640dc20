#include "config/document.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace pilotfish::config {
namespace {

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  const auto begin = text.find_first_not_of(kBlanks);
  return begin == std::string_view::npos
             ? std::string_view{}
             : text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

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

std::vector<Node> Node::elements() const {
  std::vector<Node> out;
  if (variable && kind == Kind::kScalar && text.find(',') != std::string::npos) {
    std::string_view rest = text;
    while (!rest.empty()) {
      const auto comma = rest.find(',');
      if (const auto part = trimmed(rest.substr(0, comma)); !part.empty()) {
        auto& element = out.emplace_back(*this);
        element.text = part;
        element.variable = false;
      }
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  if (out.empty()) {
    out.push_back(*this);
  }
  return out;
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
