#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

TEST(BadSyntax, IsReportedWithItsPlace) {
  expect_reports({
      {file(""),
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"},
      {file("# nothing\n"),
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"},
      {file("---\n"),
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"},
      {file("null\n"),
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"},
      {file("hello\n"),
       "f.yaml:1:1: a configuration is a map of keys, upstreams: among them, not \"hello\"\n"},
      {file("[a, b]\n"),
       "f.yaml:1:1: a configuration is a map of keys, upstreams: among them, not a list\n"},
      {file("a: [1, 2\n"),
       "f.yaml:2:1: YAML: end of sequence flow not found; a [ is closed nowhere\n"},
      {file("a: {b: 1\n"), "f.yaml:2:1: YAML: end of map flow not found; a { is closed nowhere\n"},
      {file("a: b: c\n"),
       "f.yaml:1:5: YAML: illegal map value; a text with a colon in it needs quotes, or the "
       "indentation is wrong\n"},
      {file("a: 'open\n"), "f.yaml:1:4: this quote is closed nowhere\n"},
      {file("a: \"open\n"), "f.yaml:1:4: this quote is closed nowhere\n"},
      {file("a: |\n b\n\"c\\"), "f.yaml:3:4: YAML: unknown escape character: \\x04\n"},
      {file(std::string(256, 'k') + ": 1\n"),
       "f.yaml:1:1: the key \"" + std::string(80, 'k') +
           "...\" is longer than 255 bytes; this is no configuration\n"},
      {file("upstreams:\n	billing: {}\n"),
       "f.yaml:2:9: YAML: illegal map value; indent with spaces, YAML has no tabs there\n"},
      {file("a: *nope\n"), "f.yaml:1:4: YAML: the referenced anchor is not defined\n"},
      {file("a: &x [*x]\n"), "f.yaml:1:8: an alias cannot stand inside the value that it names\n"},
      {file("a: 1\na: 2\n"),
       "f.yaml:1:1: unknown key \"a\"; known here: admin, admin_public, workers, max_clients, "
       "state_dir, log, shutdown, consul, dns, etcd, upstreams, register\n"
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"
       "f.yaml:2:1: key \"a\" is given twice, first in line 1; keep one\n"},
      {file("? [a, b]\n: c\n"), "f.yaml:1:3: a key must be plain text, not a list\n"},
      {file("? {a: b}\n: c\n"), "f.yaml:1:3: a key must be plain text, not a map\n"},
      {file(": x\n"), "f.yaml:1:1: a key is missing before this colon\n"},
      {file("? ~\n: x\n"), "f.yaml:1:3: a key is missing before this colon\n"},
      {file("upstreams: {a: {listen: 127.0.0.1:7001, consul: a}}\n---\nworkers: 2\n"),
       "f.yaml:3:1: a second YAML document begins here; a file holds one configuration\n"},
      {file("a: !secret x\n"),
       "f.yaml:1:1: unknown key \"a\"; known here: admin, admin_public, workers, max_clients, "
       "state_dir, log, shutdown, consul, dns, etcd, upstreams, register\n"
       "f.yaml:1:1: \"upstreams\" is missing; add upstreams: {billing: {listen: 127.0.0.1:7001, "
       "consul: billing}}\n"
       "f.yaml:1:4: YAML tag \"!secret\" is not supported; remove it\n"},
      {file("a: \"\\q\"\n"), "f.yaml:1:7: YAML: unknown escape character: q\n"},
      {file("%YAML 3.0\n---\na: b\n"), "f.yaml:1:1: YAML: YAML major version too large\n"},
      {file("a: @b\n"),
       "f.yaml:1:4: YAML: unknown token; a text with this character needs quotes\n"},
      {file("a: `b`\n"),
       "f.yaml:1:4: YAML: unknown token; a text with this character needs quotes\n"},
      {file("- a\nb: c\n"),
       "f.yaml:1:1: a configuration is a map of keys, upstreams: among them, not a list\n"
       "f.yaml:2:1: a second YAML document begins here; a file holds one configuration\n"},
      {file("a:\n  - b\n c: d\n"),
       "f.yaml:3:2: YAML: end of map not found; check the indentation\n"},
      {file("}\n"), "f.yaml:1:1: YAML: illegal flow end; nothing was opened that this closes\n"},
      {file("]\n"), "f.yaml:1:1: YAML: illegal flow end; nothing was opened that this closes\n"},
      {file("a: \"\\x\"\n"), "f.yaml:2:1: YAML: bad character found while scanning hex number\n"},
      {file("a: &\n"), "f.yaml:1:5: YAML: anchor not found after &\n"},
      {file("a: |x\n"), "f.yaml:1:5: YAML: unexpected character in block scalar\n"},
      {file("<<: {a: b}\nupstreams: {a: {listen: 127.0.0.1:7001, consul: a}}\n"),
       "f.yaml:1:1: merge keys (<<) are not supported; repeat the keys\n"},
      {file("workers: 2\nworkers: 3\nupstreams: {a: {listen: 127.0.0.1:7001, consul: a}}\n"),
       "f.yaml:2:1: key \"workers\" is given twice, first in line 1; keep one\n"},
      {file("upstreams:\n  a: {listen: 127.0.0.1:7001, consul: a}\n  a: {listen: 127.0.0.1:7002, "
            "consul: b}\n"),
       "f.yaml:3:3: key \"a\" is given twice, first in line 2; keep one\n"},
  });
}

TEST(BadSyntax, AControlCharacterInAKeyStaysReadable) {
  const auto loaded = load_text(
      "upstreams:\n"
      "  \"e\\x01\\x7f\": {listen: \"127.0.0.1:1\", static: [\"127.0.0.1:2\"]}\n"
      "  b: {listen: \"127.0.0.1:1\", static: [\"127.0.0.1:2\"]}\n",
      "f.yaml", [](std::string_view) { return std::optional<std::string>(); });
  ASSERT_FALSE(loaded.problems.empty());
  bool named = false;
  for (const auto& problem : loaded.problems) {
    EXPECT_EQ(problem.message.find('\x01'), std::string::npos) << problem.message;
    EXPECT_EQ(problem.message.find('\x7f'), std::string::npos) << problem.message;
    named = named || problem.message.find("e\\x01\\x7f") != std::string::npos;
  }
  EXPECT_TRUE(named);
}

}  // namespace
}  // namespace pilotfish::config::test
