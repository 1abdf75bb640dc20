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

namespace pilotfish::config {
namespace {

constexpr std::size_t kLargestFile = 1024UL * 1024;
constexpr std::size_t kDeepest = 32;
constexpr std::size_t kMostNodes = 20'000;

struct Stop {
  SyntaxError error;
};

/// Start of each line, to turn the parser's byte columns into character columns.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') {
        starts_.push_back(i + 1);
      }
    }
  }

  [[nodiscard]] Position at(const YAML::Mark& mark) const {
    if (mark.is_null() || mark.line < 0) {
      return {};
    }
    return at(static_cast<std::size_t>(mark.line), static_cast<std::size_t>(mark.column));
  }

  [[nodiscard]] Position at_byte(std::size_t offset) const {
    const auto next = std::ranges::upper_bound(starts_, offset);
    const auto line = static_cast<std::size_t>(next - starts_.begin()) - 1;
    return at(line, offset - starts_[line]);
  }

  /// Whether a tab stands in the line's indentation.
  [[nodiscard]] bool indented_by_tab(int line) const {
    const auto index = static_cast<std::size_t>(line) - 1;
    if (index >= starts_.size()) {
      return false;
    }
    const auto rest = text_.substr(starts_[index]);
    const auto blank = rest.substr(0, std::min(rest.find_first_not_of(" \t"), rest.size()));
    return blank.find('\t') != std::string_view::npos;
  }

 private:
  [[nodiscard]] Position at(std::size_t line, std::size_t column) const {
    if (line >= starts_.size()) {
      return {static_cast<int>(line) + 1, static_cast<int>(column) + 1};
    }
    const auto bytes = text_.substr(starts_[line], column);
    const auto characters = std::ranges::count_if(
        bytes, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
    return {static_cast<int>(line) + 1, static_cast<int>(characters) + 1};
  }

  std::string_view text_;
  std::vector<std::size_t> starts_{0};
};

/// Length of the well-formed UTF-8 sequence at `i`; 0 where there is none (RFC 3629).
std::size_t utf8_length(std::string_view text, std::size_t i) {
  const auto octet = [&](std::size_t k) {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : 0U;
  };
  const auto tail = [&](std::size_t k) { return (octet(k) & 0xC0U) == 0x80U; };
  const unsigned first = octet(0);
  if (first < 0x80) {
    return 1;
  }
  if (first >= 0xC2 && first <= 0xDF && tail(1)) {
    return 2;
  }
  if (first >= 0xE0 && first <= 0xEF && tail(1) && tail(2)) {
    const bool overlong = first == 0xE0 && octet(1) < 0xA0;
    const bool surrogate = first == 0xED && octet(1) > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4 && tail(1) && tail(2) && tail(3)) {
    const bool overlong = first == 0xF0 && octet(1) < 0x90;
    const bool too_large = first == 0xF4 && octet(1) > 0x8F;
    return overlong || too_large ? 0 : 4;
  }
  return 0;
}

std::optional<SyntaxError> check_bytes(std::string_view text, const Lines& lines) {
  for (std::size_t i = 0; i < text.size();) {
    const auto length = utf8_length(text, i);
    if (length == 0) {
      return SyntaxError{lines.at_byte(i), "the file is not UTF-8; save it as UTF-8"};
    }
    const auto octet = static_cast<unsigned char>(text[i]);
    if ((octet < 0x20 && octet != '\t' && octet != '\n' && octet != '\r') || octet == 0x7F) {
      return SyntaxError{lines.at_byte(i), "control character in the file; remove it"};
    }
    i += length;
  }
  return std::nullopt;
}

/// Builds the tree from the parser's events.
class Builder : public YAML::EventHandler {
 public:
  Builder(const Lines& lines, std::vector<SyntaxError>& errors) : lines_(lines), errors_(errors) {}

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(lines_.at(mark), Node{}, anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto at = lines_.at(mark);
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Stop{{at, "an alias cannot stand inside the value that it names"}};
    }
    nodes_ += count(found->second);
    add(at, found->second, YAML::NullAnchor);
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const auto at = lines_.at(mark);
    check_tag(at, tag);
    // "?" marks a plain scalar; quoted ones are never null.
    const bool is_null = tag == "?" && (value == "~" || value == "null" || value == "Null" ||
                                        value == "NULL" || value.empty());
    add(at, is_null && !wants_key() ? Node{} : Node::scalar(value), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(lines_.at(mark), tag, anchor, Node::sequence({}));
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(lines_.at(mark), tag, anchor, Node::map({}));
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
      throw Stop{{at, "the file has too many values once its aliases are expanded"}};
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
    parent.pending = Entry{std::move(key.text), key.at, {}};
    parent.has_key = true;
  }

  void finish_entry(Open& parent, Node value) {
    parent.has_key = false;
    auto& entry = parent.pending;
    if (!parent.seen.insert(entry.key).second) {
      const auto first = std::ranges::find(parent.node.entries, entry.key, &Entry::key);
      errors_.push_back({entry.key_at, "key " + quote(entry.key) + " stands twice, first in line " +
                                           std::to_string(first->key_at.line) + "; keep one"});
      return;
    }
    entry.value = std::move(value);
    parent.node.entries.push_back(std::move(entry));
  }

  const Lines& lines_;
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
  const Lines lines(text);
  if (text.size() > kLargestFile) {
    errors.push_back({{}, "the file is larger than 1 MiB; this is no configuration"});
    return std::nullopt;
  }
  if (auto bad = check_bytes(text, lines)) {
    errors.push_back(*bad);
    return std::nullopt;
  }
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    Builder builder(lines, errors);
    if (!parser.HandleNextDocument(builder)) {
      return Node::map({});
    }
    auto root = builder.take();
    std::vector<SyntaxError> ignored;
    Builder second(lines, ignored);
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
    const auto at = lines.at(error.mark);
    errors.push_back(
        {at, "YAML: " + error.msg +
                 (lines.indented_by_tab(at.line) ? "; indent with spaces, YAML has no tabs there"
                                                 : "")});
  } catch (const std::exception& error) {
    errors.push_back({{}, std::string("YAML: ") + error.what()});
  }
  return std::nullopt;
}

}  // namespace pilotfish::config
