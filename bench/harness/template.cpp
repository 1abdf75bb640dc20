#include "bench/harness/template.hpp"

#include <algorithm>
#include <array>

namespace pilotfish::bench {
namespace {

using Variables = std::map<std::string, std::string>;

constexpr std::array<std::string_view, 4> kOfInstance = {"instance", "instance_host",
                                                         "instance_port", "instance_number"};

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || c == '_';
}

/// A placeholder at the beginning of the text; empty where there is none.
std::string_view word_at(std::string_view text) {
  if (text.empty() || text.front() != '{') return {};
  const auto end = text.find('}');
  if (end == std::string_view::npos || end == 1) return {};
  const auto word = text.substr(1, end - 1);
  return std::all_of(word.begin(), word.end(), is_word) ? word : std::string_view{};
}

bool names_instance(std::string_view line) {
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto word = word_at(line.substr(i));
    if (std::find(kOfInstance.begin(), kOfInstance.end(), word) != kOfInstance.end()) return true;
  }
  return false;
}

[[noreturn]] void unknown(std::string_view word, const Variables& variables) {
  std::string known;
  for (const auto& [name, value] : variables) known += " {" + name + "}";
  for (const auto& name : kOfInstance) known += " {" + std::string(name) + "}";
  throw WrongTemplate("there is no {" + std::string(word) + "} here; there are:" + known);
}

void append(std::string& out, std::string_view text, const Variables& variables) {
  for (std::size_t i = 0; i < text.size();) {
    const auto word = word_at(text.substr(i));
    if (word.empty()) {
      out += text[i++];
      continue;
    }
    const auto found = variables.find(std::string(word));
    if (found == variables.end()) unknown(word, variables);
    out += found->second;
    i += word.size() + 2;
  }
}

}  // namespace

void add_address(Variables& variables, const std::string& name, const Endpoint& endpoint) {
  variables[name] = endpoint.to_string();
  variables[name + "_host"] = endpoint.address.to_string();
  variables[name + "_port"] = std::to_string(endpoint.port);
}

std::string expand(std::string_view text, const Variables& variables,
                   const std::vector<Endpoint>& instances) {
  std::string out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size() - 1) + 1;
    const auto line = text.substr(0, end);
    text.remove_prefix(end);
    if (!names_instance(line)) {
      append(out, line, variables);
      continue;
    }
    for (std::size_t i = 0; i < instances.size(); ++i) {
      auto with_instance = variables;
      add_address(with_instance, "instance", instances[i]);
      with_instance["instance_number"] = std::to_string(i + 1);
      append(out, line, with_instance);
    }
  }
  return out;
}

}  // namespace pilotfish::bench
