#include "config/expand.hpp"

#include <algorithm>
#include <iterator>

#include "config/source_text.hpp"

namespace pilotfish::config {
namespace {

constexpr std::size_t kLongestValue = 64UL * 1024;

bool is_variable_name(std::string_view name) {
  const auto word = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') &&
         std::ranges::all_of(name, word);
}

class Expansion {
 public:
  Expansion(const Environment& environment, const Node& node, Findings& findings)
      : environment_(environment), node_(node), findings_(findings) {}

  std::string run() {
    std::string_view rest = node_.text;
    std::string out;
    while (!rest.empty()) {
      if (rest.starts_with("$${")) {
        out += "${";
        rest.remove_prefix(3);
      } else if (rest.starts_with("${")) {
        const auto end = rest.find('}');
        if (end == std::string_view::npos) {
          fail("has a ${ without }; close it, or write $${ for a plain ${");
          break;
        }
        out += value_of(rest.substr(2, end - 2));
        rest.remove_prefix(end + 1);
      } else {
        out += rest.front();
        rest.remove_prefix(1);
      }
      if (out.size() > kLongestValue) {
        fail("is longer than 64 KiB once it is expanded");
        return {};
      }
    }
    return out;
  }

 private:
  std::string value_of(std::string_view inside) {
    const auto colon = inside.find(":-");
    const auto name = inside.substr(0, colon);
    if (!is_variable_name(name) || inside.find("${") != std::string_view::npos) {
      fail("has " + quote("${" + std::string(inside) + "}") +
           ", which is none of ${NAME} and ${NAME:-default}; $${ stands for a plain ${");
      return {};
    }
    auto value = variable(name);
    if (colon != std::string_view::npos) {
      return value && !value->empty() ? *value : std::string(inside.substr(colon + 2));
    }
    if (!value) {
      fail("needs the environment variable " + std::string(name) +
           ", which is not set; set it, or write ${" + std::string(name) + ":-default}");
      return {};
    }
    return *value;
  }

  /// What the environment holds is judged as the file's own text: it ends up in JSON and in logs.
  std::optional<std::string> variable(std::string_view name) {
    auto value = environment_(name);
    if (value && SourceText(*value).bad_octet()) {
      fail("takes the environment variable " + std::string(name) +
           ", which is not UTF-8 or has control characters; set it to plain text");
      return "";
    }
    return value;
  }

  void fail(const std::string& what) {
    findings_.push_back({node_.at, quote(node_.text) + " " + what});
  }

  const Environment& environment_;
  const Node& node_;
  Findings& findings_;
};

/// Is the text one ${...} and nothing else?
bool is_one_variable(std::string_view text) {
  return text.starts_with("${") && text.find('}') == text.size() - 1;
}

}  // namespace

void expand_environment(Node& root, const Environment& environment, Findings& findings) {
  if (root.kind == Node::Kind::kScalar && root.text.find("${") != std::string::npos) {
    const auto before = findings.size();
    root.variable = is_one_variable(root.text);
    auto text = Expansion(environment, root, findings).run();
    // A value that could not be had gives one message, not another one about its type.
    root.failed = findings.size() != before;
    root.text = std::move(text);
  }
  bool several = false;
  for (auto& item : root.items) {
    expand_environment(item, environment, findings);
    several = several || item.variable;
  }
  if (several) {
    std::vector<Node> items;
    for (auto& item : root.items) {
      if (item.variable) {
        std::ranges::move(item.elements(), std::back_inserter(items));
      } else {
        items.push_back(std::move(item));
      }
    }
    root.items = std::move(items);
  }
  for (auto& entry : root.entries) {
    expand_environment(entry.value, environment, findings);
  }
}

}  // namespace pilotfish::config
