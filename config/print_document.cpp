#include <algorithm>

#include "config/document.hpp"

namespace pilotfish::config {
namespace {

bool alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// Whether a text means itself without quotes, in block and in flow style alike.
bool is_plain(std::string_view text) {
  if (text.empty() || text.back() == ':' || text == "null" || text == "Null" || text == "NULL" ||
      (!alphanumeric(text.front()) && text.front() != '/' && text.front() != '_')) {
    return false;
  }
  return std::ranges::all_of(text, [](char c) {
    return alphanumeric(c) || std::string_view("_-./:%+").find(c) != std::string_view::npos;
  });
}

std::string scalar_text(std::string_view text, bool in_quotes) {
  if (!in_quotes && is_plain(text)) {
    return std::string(text);
  }
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
    }
    out += c;
  }
  return '"' + printable(out) + '"';
}

/// A `${` of the value itself must not be expanded when the text is loaded again.
std::string escape_expansion(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.substr(i, 2) == "${") {
      out += '$';
    }
    out += text[i];
  }
  return out;
}

std::string value_text(const Node& node) {
  return scalar_text(escape_expansion(node.text), node.quoted);
}

bool fits_one_line(const Node& node) {
  if (node.kind == Node::Kind::kMap) {
    return node.entries.empty();
  }
  return std::ranges::all_of(node.items, fits_one_line);
}

void print_block(const Node& node, std::size_t indent, std::string& out);

void print_value(const Node& node, std::size_t indent, std::string& out) {
  if (fits_one_line(node)) {
    out += ' ' + print_inline(node) + '\n';
    return;
  }
  out += '\n';
  print_block(node, indent, out);
}

void print_block(const Node& node, std::size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  for (const auto& entry : node.entries) {
    out += margin + scalar_text(entry.key, false) + ':';
    print_value(entry.value, indent + 2, out);
  }
  for (const auto& item : node.items) {
    out += margin + "- " + print_inline(item) + '\n';
  }
}

}  // namespace

std::string print_inline(const Node& node) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::kNull: return "null";
    case Node::Kind::kScalar: return value_text(node);
    case Node::Kind::kSequence:
      for (const auto& item : node.items) {
        out += (out.empty() ? "" : ", ") + print_inline(item);
      }
      return "[" + out + "]";
    case Node::Kind::kMap:
      for (const auto& entry : node.entries) {
        out += (out.empty() ? "" : ", ") + scalar_text(entry.key, false) + ": " +
               print_inline(entry.value);
      }
      return "{" + out + "}";
  }
  return out;
}

std::string print_document(const Node& root) {
  std::string out;
  print_block(root, 0, out);
  return out;
}

}  // namespace pilotfish::config
