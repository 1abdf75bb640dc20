#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/names.hpp"
#include "config/scope.hpp"
#include "config/values.hpp"

namespace pilotfish::config {

/// One line of the configuration reference.
struct KeyDoc {
  std::string key;
  std::string type;
  std::string fallback;  ///< the default as YAML; "required"
  std::string help;
  /// The keys inside, where the value is a map with a table of its own.
  std::shared_ptr<const std::vector<KeyDoc>> inside;
  /// How the level between this key and `inside` is called: "NAME" for maps of entries; else empty.
  std::string level;
};
using KeyDocs = std::vector<KeyDoc>;

/// How one kind of value is read from YAML and written back. A value.
template <typename V>
struct Codec {
  /// For the reference: "duration above 0", "list of tags".
  std::string type;
  /// False after having reported a problem; `out` is then unspecified but valid.
  std::function<bool(const Scope& scope, const Node& node, V& out)> read;
  /// nullopt where the value means "not given".
  std::function<std::optional<Node>(const V& value)> write;
  std::shared_ptr<const KeyDocs> inside;
  std::string level;
};

/// A value written as one text.
template <typename V>
Codec<V> text_codec(std::string type, std::function<Parsed<V>(std::string_view)> parse,
                    std::function<std::optional<Node>(const V&)> write) {
  auto read = [parse = std::move(parse), type](const Scope& scope, const Node& node, V& out) {
    if (node.failed) {
      return false;
    }
    if (node.kind != Node::Kind::kScalar) {
      return scope.fail(node.at, "must be one value (" + type + "), not " + node.describe());
    }
    if (node.text.empty()) {
      return scope.fail(node.at, "is empty; write a value (" + type + ") or remove the key");
    }
    auto parsed = parse(node.text);
    if (const auto* mistake = std::get_if<Mistake>(&parsed)) {
      return scope.fail(node.at, quote(redact_url(node.text)) + " " + mistake->what);
    }
    out = std::move(std::get<V>(parsed));
    return true;
  };
  return {std::move(type), std::move(read), std::move(write), {}, {}};
}

/// A list. `alone`: one value may also stand without the brackets.
template <typename V>
Codec<std::vector<V>> list_of(Codec<V> item, bool alone, bool may_be_empty = false) {
  const std::string type = "list of " + item.type + (alone ? "; one may stand alone" : "");
  auto read = [item, alone, may_be_empty, type](const Scope& scope, const Node& node,
                                                std::vector<V>& out) {
    out.clear();
    const bool one = alone && node.kind == Node::Kind::kScalar;
    if (!one && node.kind != Node::Kind::kSequence) {
      return scope.fail(node.at, "must be a list, like [a, b], not " + node.describe());
    }
    if (!one && node.items.empty() && !may_be_empty) {
      return scope.fail(node.at, "is an empty list; write at least one, or remove the key");
    }
    bool good = true;
    for (const auto& element : one ? node.elements() : node.items) {
      V value{};
      good = item.read(scope.at(element.at), element, value) && good;
      out.push_back(std::move(value));
    }
    return good;
  };
  auto write = [item](const std::vector<V>& values) -> std::optional<Node> {
    std::vector<Node> nodes;
    nodes.reserve(values.size());
    for (const auto& value : values) {
      nodes.push_back(item.write(value).value_or(Node{}));
    }
    return Node::sequence(std::move(nodes));
  };
  return {type, std::move(read), std::move(write), item.inside, {}};
}

/// A value that may be left out. An empty optional is not written.
template <typename V>
Codec<std::optional<V>> optional_of(Codec<V> codec) {
  auto read = [codec](const Scope& scope, const Node& node, std::optional<V>& out) {
    return codec.read(scope, node, out.emplace());
  };
  auto write = [codec](const std::optional<V>& value) {
    return value ? codec.write(*value) : std::nullopt;
  };
  return {codec.type, std::move(read), std::move(write), codec.inside, codec.level};
}

/// The codec under another type in messages of a map and in the reference.
template <typename V>
Codec<V> titled(std::string type, Codec<V> codec) {
  codec.type = std::move(type);
  return codec;
}

/// Empty lists and maps are not written.
template <typename V>
Codec<V> omit_when_empty(Codec<V> codec) {
  codec.write = [inner = std::move(codec.write)](const V& value) -> std::optional<Node> {
    return value.empty() ? std::nullopt : inner(value);
  };
  return codec;
}

/// Reads and writes a V through a Draft, which has the shape of the file instead of the module's.
template <typename V, typename Draft>
Codec<V> through(Codec<Draft> codec, std::function<V(const Draft&)> to_value,
                 std::function<Draft(const V&)> to_draft) {
  auto read = [codec, to_value](const Scope& scope, const Node& node, V& out) {
    Draft draft{};
    const bool good = codec.read(scope, node, draft);
    out = to_value(draft);
    return good;
  };
  auto write = [codec, to_draft](const V& value) { return codec.write(to_draft(value)); };
  return {codec.type, std::move(read), std::move(write), codec.inside, codec.level};
}

/// A map of named entries, in the file's order. `check_name` says what is wrong with a name, or
/// nothing; `set_name` and `name` carry the key into and out of the value.
template <typename V>
Codec<std::vector<V>> entries_of(Codec<V> codec, std::string what,
                                 std::function<std::string(std::string_view)> check_name,
                                 std::string V::*name) {
  auto read = [codec, what, check_name, name](const Scope& scope, const Node& node,
                                              std::vector<V>& out) {
    if (node.kind != Node::Kind::kMap) {
      return scope.fail(node.at, "must be a map of names to " + what + ", not " + node.describe());
    }
    if (node.entries.empty()) {
      return scope.fail(node.at, "is empty; write at least one of the " + what);
    }
    bool good = true;
    for (const auto& entry : node.entries) {
      if (const auto wrong = check_name(entry.key); !wrong.empty()) {
        good = scope.fail(entry.key_at, quote(entry.key) + " " + wrong);
      }
      V value{};
      good = codec.read(scope.child(entry.key, entry.key_at), entry.value, value) && good;
      value.*name = entry.key;
      out.push_back(std::move(value));
    }
    return good;
  };
  auto write = [codec, name](const std::vector<V>& values) -> std::optional<Node> {
    std::vector<Entry> entries;
    entries.reserve(values.size());
    for (const auto& value : values) {
      entries.push_back({value.*name, {}, codec.write(value).value_or(Node::map({}))});
    }
    return Node::map(std::move(entries));
  };
  return {"map of " + what, std::move(read), std::move(write), codec.inside, "NAME"};
}

}  // namespace pilotfish::config
