#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include "config/document.hpp"
#include "config/source_text.hpp"

namespace pilotfish::config {
namespace {

constexpr std::size_t kLargestFile = 1024UL * 1024;
constexpr std::size_t kDeepest = 32;
constexpr std::size_t kMostNodes = 200'000;
/// YAML wants a key within 1,024 characters; printed, each of ours may take four and two quotes.
constexpr std::size_t kLongestKey = 255;

struct Stop {
  SyntaxError error;
};

Position place(const SourceText& source, const YAML::Mark& mark) {
  if (mark.is_null() || mark.line < 0 || mark.column < 0) {
    return {};
  }
  return source.at(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
}

/// The parser's words, and what they usually mean.
std::string explain(const std::string& message) {
  constexpr std::pair<std::string_view, std::string_view> kHints[] = {
      {"illegal map value", "a text with a colon in it needs quotes, or the indentation is wrong"},
      {"end of map not found", "check the indentation"},
      {"end of sequence not found", "check the indentation"},
      {"end of map flow not found", "a { is closed nowhere"},
      {"end of sequence flow not found", "a [ is closed nowhere"},
      {"illegal flow end", "nothing was opened that this closes"},
      {"unknown token", "a text with this character needs quotes"},
  };
  const auto* hint =
      std::ranges::find(kHints, message, [](const auto& pair) { return pair.first; });
  return "YAML: " + message + (hint == std::end(kHints) ? "" : "; " + std::string(hint->second));
}

/// Builds the tree from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(const SourceText& source, std::vector<SyntaxError>& errors)
      : source_(source), errors_(errors) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(place(source_, mark), Node{}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto at = place(source_, mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{{at, "an alias cannot stand inside the value that it names"}};
    }
    nodes_ += count(found->second);
    add(at, found->second, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const auto at = place(source_, mark);
    check_tag(at, tag);
    // yaml-cpp takes the end of the file for a closing quote.
    if (tag == "!" && source_.open_quote_at(static_cast<std::size_t>(mark.line),
                                            static_cast<std::size_t>(mark.column))) {
      throw Stop{{at, "this quote is closed nowhere"}};
    }
    // "?" marks a plain scalar; quoted ones are never null.
    const bool is_null = tag == "?" && (value == "~" || value == "null" || value == "Null" ||
                                        value == "NULL" || value.empty());
    add(at, is_null && !wants_key() ? Node{} : Node::scalar(mend_utf8(value)), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(place(source_, mark), tag, anchor, Node::sequence({}));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(place(source_, mark), tag, anchor, Node::map({}));
  }
  void OnMapEnd() override { close(); }

  std::optional<Node> take() { return std::move(root_); }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor = YAML::NullAnchor;
    bool has_key = false;
    Entry pending;
    std::set<std::string> seen;
  };

  [[nodiscard]] bool wants_key() const {
    return !open_.empty() && open_.back().node.kind == Node::Kind::kMap && !open_.back().has_key;
  }

  static std::size_t count(const Node& node) {
    std::size_t sum = 1;
    for (const auto& item : node.items) {
      sum += count(item);
    }
    for (const auto& entry : node.entries) {
      sum += count(entry.value);
    }
    return sum;
  }

  void check_tag(Position at, const std::string& tag) {
    const bool known = tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org");
    if (!known) {
      errors_.push_back({at, "YAML tag " + quote(tag) + " is not supported; remove it"});
    }
  }

  void open(Position at, const std::string& tag, YAML::anchor_t anchor, Node node) {
    check_tag(at, tag);
    if (open_.size() >= kDeepest) {
      throw Stop{{at, "nested too deeply; " + std::to_string(kDeepest) + " levels are the most"}};
    }
    if (wants_key()) {
      throw Stop{{at, "a key must be plain text, not " + node.describe()}};
    }
    node.at = at;
    open_.push_back({std::move(node), anchor, false, {}, {}});
  }

  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    const auto at = done.node.at;
    add(at, std::move(done.node), done.anchor);
  }

  void add(Position at, Node node, YAML::anchor_t anchor) {
    if (++nodes_ > kMostNodes) {
      throw Stop{{at, "more than 200,000 values, aliases expanded; this is no configuration"}};
    }
    node.at = at;
    if (anchor != YAML::NullAnchor) {
      anchors_[anchor] = node;
    }
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (auto& parent = open_.back(); parent.node.kind == Node::Kind::kSequence) {
      parent.node.items.push_back(std::move(node));
    } else if (!parent.has_key) {
      start_entry(parent, std::move(node));
    } else {
      finish_entry(parent, std::move(node));
    }
  }

  static void start_entry(Open& parent, Node key) {
    if (key.kind == Node::Kind::kNull) {
      throw Stop{{key.at, "a key is missing before this colon"}};
    }
    if (key.kind != Node::Kind::kScalar || key.text.empty()) {
      throw Stop{{key.at, "a key must be plain text, not " + key.describe()}};
    }
    if (key.text.size() > kLongestKey) {
      throw Stop{{key.at, "the key " + quote(key.text) + " is longer than " +
                              std::to_string(kLongestKey) + " bytes; this is no configuration"}};
    }
    parent.pending = Entry{std::move(key.text), key.at, {}};
    parent.has_key = true;
  }

  void finish_entry(Open& parent, Node value) {
    parent.has_key = false;
    auto& entry = parent.pending;
    if (!parent.seen.insert(entry.key).second) {
      const auto first = std::ranges::find(parent.node.entries, entry.key, &Entry::key);
      errors_.push_back({entry.key_at, "key " + quote(entry.key) +
                                           " is given twice, first in line " +
                                           std::to_string(first->key_at.line) + "; keep one"});
      return;
    }
    entry.value = std::move(value);
    parent.node.entries.push_back(std::move(entry));
  }

  const SourceText& source_;
  std::vector<SyntaxError>& errors_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  std::optional<Node> root_;
  std::size_t nodes_ = 0;
};

}  // namespace

std::optional<Node> parse_document(std::string_view text, std::vector<SyntaxError>& errors) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  const SourceText source(text);
  if (text.size() > kLargestFile) {
    errors.push_back({{}, "the file is larger than 1 MiB; this is no configuration"});
    return std::nullopt;
  }
  if (auto bad = source.bad_octet()) {
    errors.push_back(*bad);
    return std::nullopt;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(source, errors);
    if (!parser.HandleNextDocument(builder)) {
      return Node::map({});
    }
    auto root = builder.take();
    std::vector<SyntaxError> ignored;
    Builder second(source, ignored);
    if (parser.HandleNextDocument(second)) {
      const auto extra = second.take();
      errors.push_back({extra ? extra->at : Position{},
                        "a second YAML document begins here; a file holds one configuration"});
    }
    if (!root || root->kind == Node::Kind::kNull) {
      return Node::map({});
    }
    return root;
  } catch (const Stop& stop) {
    errors.push_back(stop.error);
  } catch (const YAML::Exception& error) {
    const auto at = place(source, error.mark);
    auto message = explain(error.msg);
    if (source.indented_by_tab(at.line)) {
      message = "YAML: " + error.msg + "; indent with spaces, YAML has no tabs there";
    } else if (source.bracketed_address(at.line)) {
      message = "YAML: " + error.msg + "; an address in brackets needs quotes: \"[::1]:7001\"";
    }
    errors.push_back({at, std::move(message)});
  } catch (const std::exception& error) {
    errors.push_back({{}, std::string("YAML: ") + error.what()});
  }
  return std::nullopt;
}

}  // namespace pilotfish::config
