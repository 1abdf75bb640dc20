#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pilotfish::config {

/// A place in a file, 1-based; columns count characters, not bytes.
struct Position {
  int line = 1;
  int column = 1;
  friend auto operator<=>(const Position&, const Position&) = default;
};

struct Entry;

/// A YAML value with its place: what is left of YAML once its syntax is done with. Every scalar is
/// text; the fields give it a type, so that `meta: {version: 3.10}` stays "3.10". A value.
struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMap };

  Kind kind = Kind::kNull;
  Position at;
  std::string text;
  bool quoted = false;    ///< when printed: in quotes, because it would read as another type
  bool failed = false;    ///< a problem with this value was reported already
  bool variable = false;  ///< the whole text is what one ${NAME} stood for
  std::vector<Node> items;
  std::vector<Entry> entries;  ///< in the file's order; keys are unique

  static Node scalar(std::string value, bool in_quotes = false);
  static Node sequence(std::vector<Node> nodes);
  static Node map(std::vector<Entry> nodes);

  /// The value of a key; nullptr where there is none, or where this is no map.
  [[nodiscard]] const Node* find(std::string_view key) const;
  /// The parts between commas of a text that one variable stood for: what it is in a list, or alone
  /// in place of one. Any other value is its only element.
  [[nodiscard]] std::vector<Node> elements() const;
  /// Of an element of a list; of the value itself where it stands alone in place of one.
  [[nodiscard]] Position item_at(std::size_t index) const {
    return index < items.size() ? items[index].at : at;
  }
  /// "a map", "a list", "no value", or the text in quotes: for messages.
  [[nodiscard]] std::string describe() const;
};

struct Entry {
  std::string key;
  Position key_at;
  Node value;
};

/// `text` with its control characters written as \x04: one line that a terminal and a log can take.
[[nodiscard]] std::string printable(std::string_view text);

/// `text` in quotes, shortened and made printable, so that a message stays one readable line.
[[nodiscard]] std::string quote(std::string_view text);

/// A mistake of the file before any field is looked at.
struct SyntaxError {
  Position at;
  std::string message;
};

/// Parses one YAML document. Nothing but syntax is judged here, and: UTF-8, size (1 MiB), depth
/// (32), aliases (expanded up to 200,000 nodes in all), duplicate keys, keys that are no text, YAML
/// tags, a second document. nullopt where no tree could be had; errors may stand beside a tree.
/// An empty file is an empty map. Never throws.
[[nodiscard]] std::optional<Node> parse_document(std::string_view text,
                                                 std::vector<SyntaxError>& errors);

/// The tree as YAML: block maps, lists of plain values on one line. Parses back to the same tree.
[[nodiscard]] std::string print_document(const Node& root);
/// One value on one line, as in `{a: 1, b: [x, y]}`.
[[nodiscard]] std::string print_inline(const Node& node);

}  // namespace pilotfish::config
