// Configuration files: any text is options or problems with places; what loads, dumped, loads the
// same again; a tree, printed, parses to the same tree.
#include <string>

#include "config/document.hpp"
#include "config/expand.hpp"
#include "config/load.hpp"
#include "tests/fuzz/slices.hpp"

namespace pilotfish::fuzz {
namespace {

std::optional<std::string> environment(std::string_view name) {
  if (name == "A") {
    return "1";
  }
  if (name == "EVIL") {
    return "x: [\"\n}${A}";  // must not change the structure
  }
  if (name == "RAW") {
    return "\xff\x01";
  }
  return std::nullopt;
}

bool same(const config::Node& a, const config::Node& b) {
  if (a.kind != b.kind || a.text != b.text || a.items.size() != b.items.size() ||
      a.entries.size() != b.entries.size()) {
    return false;
  }
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!same(a.items[i], b.items[i])) {
      return false;
    }
  }
  for (std::size_t i = 0; i < a.entries.size(); ++i) {
    if (a.entries[i].key != b.entries[i].key || !same(a.entries[i].value, b.entries[i].value)) {
      return false;
    }
  }
  return true;
}

void judge_tree(std::string_view text) {
  std::vector<config::SyntaxError> errors;
  const auto tree = config::parse_document(text, errors);
  require(tree || !errors.empty(), "no tree without a reason");
  if (!tree || !errors.empty() || tree->kind != config::Node::Kind::kMap) {
    return;  // a configuration is a map; nothing else is ever printed as a document
  }
  const auto printed = config::print_document(*tree);
  std::vector<config::SyntaxError> again;
  auto other = config::parse_document(printed, again);
  if (other) {
    config::expand_environment(*other, environment, again);  // `${` was printed as `$${`
  }
  require(again.empty() && other && same(*tree, *other), "printed, it parses to the same tree",
          printed);
}

void judge_file(std::string_view text) {
  const auto loaded = config::load_text(text, "f.yaml", environment);
  require(loaded.options.has_value() == loaded.problems.empty(), "options or problems");
  for (const auto& problem : loaded.problems) {
    require(problem.line >= 1 && problem.column >= 1 && !problem.message.empty(), "a place");
    for (const char c : problem.message) {
      const auto octet = static_cast<unsigned char>(c);
      require(octet >= 0x20 && octet != 0x7f, "a message is one printable line", problem.message);
    }
  }
  if (loaded.options) {
    const auto dumped = config::dump(*loaded.options);
    const auto again = config::load_text(dumped, "dump.yaml", environment);
    require(again.options.has_value() && *again.options == *loaded.options,
            "dumped, it loads the same", dumped);
  }
}

}  // namespace
}  // namespace pilotfish::fuzz

// NOLINTNEXTLINE(readability-identifier-naming): the name libFuzzer calls
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  pilotfish::fuzz::judge_tree(text);
  pilotfish::fuzz::judge_file(text);
  return 0;
}
