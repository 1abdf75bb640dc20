#pragma once

#include <gtest/gtest.h>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.hpp"

namespace pilotfish::config::test {

using Variables = std::map<std::string, std::string>;

inline Environment environment_of(Variables variables) {
  return [variables = std::move(variables)](std::string_view name) -> std::optional<std::string> {
    const auto found = variables.find(std::string(name));
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  };
}

inline Loaded load(std::string_view text, const Variables& variables = {}) {
  return load_text(text, "f.yaml", environment_of(variables));
}

/// Every problem on a line of its own; "" where the text loads.
inline std::string problems(std::string_view text, const Variables& variables = {}) {
  std::string out;
  for (const auto& problem : load(text, variables).problems) {
    out += problem.to_string() + "\n";
  }
  return out;
}

/// The options of a text that must be good.
inline RootOptions good(std::string_view text, const Variables& variables = {}) {
  auto loaded = load(text, variables);
  EXPECT_TRUE(loaded.options) << text << "\n" << problems(text, variables);
  return loaded.options.value_or(RootOptions{});
}

inline std::string indented(std::string_view lines) {
  std::string out = "    ";
  for (const char c : lines) {
    out += c;
    out += c == '\n' ? "    " : "";
  }
  return out + "\n";
}

inline constexpr auto* kSmallest = "upstreams: {a: {listen: 127.0.0.1:7001, consul: a}}\n";

// Snippets in their place. Each names the line its snippet begins in.
inline std::string file(std::string_view text) {
  return std::string(text);
}
inline std::string top(std::string_view lines) {  // line 2
  return kSmallest + std::string(lines) + "\n";
}
inline std::string upstream(std::string_view lines) {  // line 5, column 5
  return "upstreams:\n  billing:\n    listen: 127.0.0.1:7001\n    consul: billing\n" +
         indented(lines);
}
inline std::string entry(std::string_view lines) {  // line 3, column 5
  return "upstreams:\n  billing:\n" + indented(lines);
}
inline std::string announce(std::string_view lines) {  // line 4, column 5
  return std::string(kSmallest) + "register:\n  web:\n" + indented(lines);
}

struct BadCase {
  std::string text;
  std::string expected;  ///< every line of the report, in order
};

inline void expect_reports(const std::vector<BadCase>& cases) {
  for (const auto& [text, expected] : cases) {
    EXPECT_EQ(problems(text), expected) << text;
    EXPECT_FALSE(load(text).options) << text;
  }
}

}  // namespace pilotfish::config::test
