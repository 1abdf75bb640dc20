#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "config/codec.hpp"
#include "config/hints.hpp"
#include "config/nearest.hpp"

namespace pilotfish::config {

/// What stood in a map, for the rules that span fields.
class Seen {
 public:
  Seen(const Node& map, std::vector<std::string> bad) : map_(map), bad_(std::move(bad)) {}

  [[nodiscard]] bool has(std::string_view key) const { return map_.find(key) != nullptr; }
  /// Absent, or read without a problem: a rule about it adds no noise to an earlier message. Not
  /// good is also what a misspelt key probably meant.
  [[nodiscard]] bool good(std::string_view key) const {
    return std::ranges::find(bad_, key) == bad_.end();
  }
  /// Place of the key's value; of the map itself where the key is absent.
  [[nodiscard]] Position value_at(std::string_view key) const {
    const auto* node = map_.find(key);
    return node == nullptr ? map_.at : node->at;
  }
  [[nodiscard]] Position key_at(std::string_view key) const {
    const auto found = std::ranges::find(map_.entries, key, &Entry::key);
    return found == map_.entries.end() ? map_.at : found->key_at;
  }
  [[nodiscard]] const Node* node(std::string_view key) const { return map_.find(key); }

 private:
  const Node& map_;
  std::vector<std::string> bad_;
};

/// The keys of one options struct: the single source of parsing, validation, suggestions for
/// typos, dump and reference. A `member` is a pointer to member or a generic lambda that returns
/// a reference, so that the shape of the file may differ from the shape of the struct.
template <typename T>
class FieldTable {
 public:
  using Rule = std::function<void(const Scope&, const Seen&, const T&)>;

  template <typename Member, typename V>
  FieldTable& field(std::string key, Member member, Codec<V> codec, std::string help) {
    const auto fallback = codec.write(std::invoke(member, std::as_const(initial_)));
    add({key, codec.type, fallback ? print_inline(*fallback) : "", std::move(help), codec.inside,
         codec.level},
        member, codec);
    return *this;
  }
  template <typename Member, typename V>
  FieldTable& required(std::string key, Member member, Codec<V> codec, std::string example,
                       std::string help) {
    add({key, codec.type, "required", std::move(help), codec.inside, codec.level}, member, codec);
    fields_.back().example = std::move(example);
    return *this;
  }
  /// What the reference says in place of the last field's default.
  FieldTable& otherwise(std::string fallback) {
    fields_.back().doc.fallback = std::move(fallback);
    return *this;
  }
  /// What to say of keys that are none of ours and that people try.
  FieldTable& hints(Hints hints) {
    hints_ = hints;
    return *this;
  }
  /// Runs after all fields of the map were read, also when some of them were bad.
  FieldTable& rule(Rule rule) {
    rules_.push_back(std::move(rule));
    return *this;
  }

  bool read(const Scope& scope, const Node& node, T& out) const {
    if (node.kind != Node::Kind::kMap) {
      if (scope.path().empty()) {
        return scope.fail(node.at, "a configuration is a map of keys, upstreams: among them, not " +
                                       node.describe());
      }
      return scope.fail(node.at, "must be a map of keys, like {" + fields_.front().doc.key +
                                     ": ...}, not " + node.describe());
    }
    Findings findings;
    const auto inner = scope.into(findings);
    std::vector<std::string> bad;
    for (const auto& entry : node.entries) {
      read_entry(inner, entry, out, bad);
    }
    for (const auto& field : fields_) {
      // A key that is only misspelt is not missing as well.
      if (!field.example.empty() && node.find(field.doc.key) == nullptr &&
          std::ranges::find(bad, field.doc.key) == bad.end()) {
        inner.fail(scope.key_at(), "\"" + field.doc.key + "\" is missing; add " + field.example);
        bad.push_back(field.doc.key);
      }
    }
    const Seen seen(node, std::move(bad));
    for (const auto& rule : rules_) {
      rule(inner, seen, out);
    }
    const bool good = findings.empty();
    scope.append(std::move(findings));
    return good;
  }

  [[nodiscard]] Node write(const T& value) const {
    std::vector<Entry> entries;
    for (const auto& field : fields_) {
      if (auto node = field.write(value)) {
        entries.push_back({field.doc.key, {}, std::move(*node)});
      }
    }
    return Node::map(std::move(entries));
  }

  [[nodiscard]] KeyDocs docs() const {
    KeyDocs out;
    for (const auto& field : fields_) {
      out.push_back(field.doc);
    }
    return out;
  }

  /// The table as the codec of a value inside another table.
  [[nodiscard]] Codec<T> codec() const {
    const auto table = std::make_shared<const FieldTable<T>>(*this);
    return {"map",
            [table](const Scope& scope, const Node& node, T& out) {
              return table->read(scope, node, out);
            },
            [table](const T& value) -> std::optional<Node> { return table->write(value); },
            std::make_shared<const KeyDocs>(docs()),
            {}};
  }

 private:
  struct Field {
    KeyDoc doc;
    std::string example;  ///< of a required field; else empty
    std::function<bool(const Scope&, const Node&, T&)> read;
    std::function<std::optional<Node>(const T&)> write;
  };

  template <typename Member, typename V>
  void add(KeyDoc doc, Member member, const Codec<V>& codec) {
    fields_.push_back(
        {std::move(doc),
         {},
         [member, codec](const Scope& scope, const Node& node, T& out) {
           return codec.read(scope, node, std::invoke(member, out));
         },
         [member, codec](const T& value) { return codec.write(std::invoke(member, value)); }});
  }

  /// Adds to `bad` the key that cannot be trusted afterwards: its own, or the one meant by a typo.
  void read_entry(const Scope& scope, const Entry& entry, T& out,
                  std::vector<std::string>& bad) const {
    const auto found =
        std::ranges::find(fields_, entry.key, [](const Field& field) { return field.doc.key; });
    if (found == fields_.end()) {
      bad.push_back(report_unknown(scope, entry));
      return;
    }
    const auto inner = scope.child(entry.key, entry.key_at);
    const bool good =
        entry.value.kind == Node::Kind::kNull
            ? inner.fail(entry.key_at, "has no value; write one (" + found->doc.type + ")")
            : found->read(inner, entry.value, out);
    if (!good) {
      bad.push_back(entry.key);
    }
  }

  std::string report_unknown(const Scope& scope, const Entry& entry) const {
    const std::string where = scope.path().empty() ? "" : " in " + scope.path();
    if (entry.key == "<<") {
      scope.fail_plainly(entry.key_at,
                         "merge keys (<<) are not supported" + where + "; repeat the keys");
      return {};
    }
    if (const auto* hint = find_hint(hints_, entry.key)) {
      const std::string what = hint->later ? quote(entry.key) + where + " is not built yet"
                                           : "unknown key " + quote(entry.key) + where;
      scope.fail_plainly(entry.key_at, what + "; " + std::string(hint->advice));
      return std::string(hint->meant);
    }
    std::vector<std::string> known;
    std::string listed;
    for (const auto& field : fields_) {
      known.push_back(field.doc.key);
      listed += (listed.empty() ? "" : ", ") + field.doc.key;
    }
    auto meant = nearest(entry.key, known);
    scope.fail_plainly(entry.key_at, "unknown key " + quote(entry.key) + where +
                                         (meant.empty() ? "; known here: " + listed
                                                        : "; did you mean \"" + meant + "\"?"));
    return meant;
  }

  T initial_{};
  Hints hints_;
  std::vector<Field> fields_;
  std::vector<Rule> rules_;
};

}  // namespace pilotfish::config
