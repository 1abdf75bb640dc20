#include <cstdio>
#include <fstream>
#include <unistd.h>

#include "config/document.hpp"
#include "core/random.hpp"
#include "tests/unit/config/full_example.hpp"
#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) {
    out += text;
  }
  return out;
}

TEST(HostileFile, OfManyKindsIsOneOrMoreProblems) {
  constexpr std::size_t kTimes = 20'000;
  for (const auto* piece :
       {"[",    "{",      "- ",     "? ",  "&a ",  "! ",  "\"",    "'",        ": ",
        "%a\n", "a: 1\n", "a: |\n", "[a,", "{a: ", "*a ", "---\n", "k: \"a\n", "\t",
        "<<: ", "|",      "!<",     "\\",  "#",    ",",   "]",     "}"}) {
    EXPECT_NE(problems(repeat(piece, kTimes)), "") << piece;
  }
}

TEST(HostileFile, NestedDeeplyIsRefused) {
  EXPECT_NE(problems(top("state_dir: " + repeat("[", 40) + repeat("]", 40)))
                .find("nested too deeply; 32 levels are the most"),
            std::string::npos);
}

TEST(HostileFile, AliasBombIsRefused) {
  std::string text = "a: &a [x,x,x,x,x,x,x,x,x]\n";
  for (char c = 'b'; c < 'k'; ++c) {
    const std::string previous = std::string("*") + static_cast<char>(c - 1);
    text += std::string(1, c) + ": &" + c + " [" + repeat(previous + ",", 8) + previous + "]\n";
  }
  EXPECT_NE(problems(text).find("aliases expanded"), std::string::npos);
}

TEST(HostileFile, AliasesOfReasonableSizeWork) {
  const auto options = good(
      "upstreams:\n"
      "  a: {listen: 127.0.0.1:1, consul: a, timeouts: &t {head: 3s}}\n"
      "  b: {listen: 127.0.0.1:2, consul: b, timeouts: *t}\n");
  EXPECT_EQ(options.upstreams[0].timeouts, options.upstreams[1].timeouts);
}

TEST(HostileFile, NotUtf8IsRefusedWithItsPlace) {
  EXPECT_EQ(problems("a: 1\nb: \xff\n"), "f.yaml:2:4: the file is not UTF-8; save it as UTF-8\n");
  EXPECT_EQ(problems("b: \xed\xa0\x80\n"), "f.yaml:1:4: the file is not UTF-8; save it as UTF-8\n");
  EXPECT_EQ(problems(std::string("a: x\0y", 6)),
            "f.yaml:1:5: control character in the file; remove it\n");
}

TEST(HostileFile, EscapesBecomeUtf8) {
  // yaml-cpp writes the next line and the no-break space as one byte each.
  const auto options = good(top("state_dir: \"/a\\N\\_\\xff\\u00e9\\N\""));
  EXPECT_EQ(options.state_dir, "/a\xC2\x85\xC2\xA0\xC3\xBF\xC3\xA9\xC2\x85");
  EXPECT_TRUE(good(dump(options)) == options);
}

TEST(HostileFile, TextThatReadsAsNothingIsPrintedInQuotes) {
  std::vector<SyntaxError> errors;
  const auto tree = parse_document("a: [\"null\", Null, \"NULL\", \"~\", ~]\n", errors);
  ASSERT_TRUE(tree);
  EXPECT_EQ(print_document(*tree), "a: [\"null\", null, \"NULL\", \"~\", null]\n");
}

TEST(HostileFile, LargerThanOneMebibyteIsRefused) {
  EXPECT_EQ(problems(std::string(1024UL * 1024 + 1, '#')),
            "f.yaml:1:1: the file is larger than 1 MiB; this is no configuration\n");
}

TEST(HostileFile, ColumnsCountCharacters) {
  EXPECT_EQ(problems(top("log: {format: \"\xC3\xA9\xE2\x82\xAC\", level: x}")),
            "f.yaml:2:15: log.format: \"\xC3\xA9\xE2\x82\xAC\" is none of text, json\n"
            "f.yaml:2:28: log.level: \"x\" is none of debug, info, warn, error\n");
}

TEST(HostileFile, ByteOrderMarkAndCarriageReturnsAreHarmless) {
  good("\xEF\xBB\xBF" + std::string(kSmallest));
  EXPECT_EQ(good("workers: 2\r\nupstreams:\r\n  a:\r\n    listen: 127.0.0.1:1\r\n"
                 "    consul: a\r\n")
                .workers,
            2U);
}

TEST(HostileFile, ControlCharactersInMessagesAreEscaped) {
  const auto report = problems(top("\"a\\nb\": 1"));
  EXPECT_EQ(report.find("f.yaml:2:1: unknown key \"a\\x0ab\""), 0U) << report;
}

TEST(LoadFile, ThatCannotBeReadIsOneProblem) {
  const auto none = load_file("/nope/pilotfish.yaml", environment_of({}));
  ASSERT_EQ(none.problems.size(), 1U);
  EXPECT_EQ(none.problems[0].to_string(),
            "/nope/pilotfish.yaml:1:1: cannot open the file: No such file or directory");
  const auto folder = load_file("/tmp", environment_of({}));
  ASSERT_EQ(folder.problems.size(), 1U);
  EXPECT_EQ(folder.problems[0].to_string(), "/tmp:1:1: cannot read the file: Is a directory");
}

TEST(LoadFile, ReadsAsLoadTextDoes) {
  const std::string path = testing::TempDir() + "pilotfish_load_" + std::to_string(::getpid());
  std::ofstream(path) << kFull;
  const auto loaded = load_file(path, environment_of({}));
  std::remove(path.c_str());
  ASSERT_TRUE(loaded.options);
  EXPECT_TRUE(*loaded.options == good(kFull));
}

/// Bytes changed, lost, doubled, or replaced by what means something to YAML.
std::string mutate(std::string text, Random& random) {
  static constexpr std::string_view kSpice = "{}[]:,-&*!|>'\"%@`#?~$\n\t 0%.\\<\xff\xc3";
  const auto count = 1 + random.below(3);
  for (std::uint64_t i = 0; i < count && !text.empty(); ++i) {
    const auto at = random.below(text.size());
    const auto length = std::min<std::size_t>(1 + random.below(8), text.size() - at);
    switch (random.below(5)) {
      case 0: text[at] = kSpice[random.below(kSpice.size())]; break;
      case 1: text.erase(at, length); break;
      case 2: text.insert(at, text.substr(random.below(text.size()), length)); break;
      case 3: text.insert(at, 1, kSpice[random.below(kSpice.size())]); break;
      default: text[at] = static_cast<char>(random.below(256)); break;
    }
  }
  return text;
}

class MutatedFile : public testing::TestWithParam<std::uint64_t> {};

TEST_P(MutatedFile, EitherLoadsOrSaysWhy) {
  Random random(GetParam());
  const std::string full(kFull);
  // Cut at entries, so that most mutations meet few lines and the whole stays quick.
  const auto compact = full.substr(full.find("upstreams:"));
  int loaded = 0;
  for (int i = 0; i < 2'500; ++i) {
    const auto text = mutate(i % 4 == 0 ? full : compact, random);
    const auto result = load(text, {{"A", "1"}});
    ASSERT_NE(result.options.has_value(), !result.problems.empty()) << text;
    for (const auto& problem : result.problems) {
      ASSERT_GE(problem.line, 1) << text;
      ASSERT_GE(problem.column, 1) << text;
      ASSERT_FALSE(problem.message.empty()) << text;
      ASSERT_EQ(problem.message.find('\n'), std::string::npos) << text;
    }
    if (result.options) {
      ++loaded;
      if (loaded % 10 == 0) {
        ASSERT_TRUE(good(dump(*result.options)) == *result.options) << text;
      }
    }
  }
  EXPECT_GT(loaded, 10) << "a number changed, or an entry lost, still loads";
  EXPECT_LT(loaded, 2'250);
}

INSTANTIATE_TEST_SUITE_P(Seeds, MutatedFile, testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace pilotfish::config::test
