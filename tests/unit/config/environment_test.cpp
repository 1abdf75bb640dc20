#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unistd.h>

#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

std::string state_dir(const std::string& value, const Variables& variables) {
  return good(top("state_dir: " + value), variables).state_dir;
}

TEST(Expansion, ReplacesNamesInsideValues) {
  EXPECT_EQ(state_dir("${DIR}", {{"DIR", "/x"}}), "/x");
  EXPECT_EQ(state_dir("/a/${DIR}/b${DIR}", {{"DIR", "x"}}), "/a/x/bx");
  EXPECT_EQ(state_dir("\"${DIR}\"", {{"DIR", "/x"}}), "/x");
}

TEST(Expansion, UsesTheDefaultWhereUnsetOrEmpty) {
  EXPECT_EQ(state_dir("${DIR:-/d}", {}), "/d");
  EXPECT_EQ(state_dir("${DIR:-/d}", {{"DIR", ""}}), "/d");
  EXPECT_EQ(state_dir("${DIR:-/d}", {{"DIR", "/x"}}), "/x");
  EXPECT_EQ(state_dir("/x${DIR:-}", {}), "/x");
}

TEST(Expansion, EscapesWithTwoDollars) {
  EXPECT_EQ(state_dir("$${DIR}", {{"DIR", "/x"}}), "${DIR}");
  EXPECT_EQ(state_dir("$$${DIR}", {}), "$${DIR}");
  EXPECT_EQ(state_dir("/a$b$", {}), "/a$b$");
}

TEST(Expansion, TypesTheValueAfterwards) {
  EXPECT_EQ(good(top("workers: ${W:-2}")).workers, 2U);
  EXPECT_EQ(good(top("workers: ${W}"), {{"W", "3"}}).workers, 3U);
  EXPECT_EQ(good(upstream("retry: {budget: \"${B}%\"}"), {{"B", "7"}})
                .upstreams.at(0)
                .retry.budget_percent,
            7U);
}

TEST(Expansion, CannotChangeTheStructure) {
  EXPECT_EQ(state_dir("${EVIL}", {{"EVIL", "{a: b}"}}), "{a: b}");
  EXPECT_EQ(state_dir("${EVIL}", {{"EVIL", "x, workers: 9"}}), "x, workers: 9");
  EXPECT_NE(problems(top("state_dir: ${EVIL}"), {{"EVIL", "a\nworkers: 9"}}), "");
}

TEST(Expansion, AValueWithCommasIsSeveralElementsOfAList) {
  const Variables lists{
      {"TAGS", "v3, read,,"}, {"TIERS", "v4,v3"}, {"HOSTS", "10.0.0.1:1,10.0.0.2:2"}};
  const auto tags = [&](const std::string& value) {
    const auto text = std::string(kSmallest) + "register: {web: {port: 1, tags: " + value + "}}\n";
    return good(text, lists).announcements.at(0).tags;
  };
  const std::vector<std::string> two{"v3", "read"};
  EXPECT_EQ(tags("[\"${TAGS}\"]"), two);
  EXPECT_EQ(tags("\"${TAGS}\""), two) << "alone, in place of the list";
  EXPECT_EQ(tags("[\"${NONE:-a,b}\"]"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(tags("[\"x-${TAGS}\"]"), (std::vector<std::string>{"x-v3, read,,"})) << "a part";
  EXPECT_EQ(tags("[\"a,b\"]"), (std::vector<std::string>{"a,b"})) << "written so";

  const auto block = good(std::string(kSmallest) +
                              "register:\n  web:\n    port: 1\n    tags:\n    - ${TAGS}\n    - x\n",
                          lists);
  EXPECT_EQ(block.announcements.at(0).tags, (std::vector<std::string>{"v3", "read", "x"}));

  const auto routed = good(upstream("prefer: [\"${TIERS}\", any]"), lists).upstreams.at(0);
  EXPECT_EQ(std::get<resolver::ConsulSource>(routed.source).tiers.size(), 3U);
  const auto fixed =
      good("upstreams: {a: {listen: 127.0.0.1:7001, static: \"${HOSTS}\"}}\n", lists);
  EXPECT_EQ(std::get<resolver::StaticSource>(fixed.upstreams.at(0).source).instances.size(), 2U);
  EXPECT_EQ(state_dir("${TIERS}", lists), "v4,v3") << "no list";
}

TEST(Expansion, ARepeatedElementOfAVariableIsTold) {
  const Variables lists{{"TAGS", "v3,v3"}};
  for (const auto* value : {"\"${TAGS}\"", "[\"${TAGS}\"]"}) {
    const auto text = std::string(kSmallest) + "register: {web: {port: 1, tags: " + value + "}}\n";
    EXPECT_NE(problems(text, lists).find("tag \"v3\" is given twice"), std::string::npos);
  }
}

TEST(Expansion, RefusesWhatIsNoText) {
  for (const auto* value : {"\xff", "a\x01", "\x7f", "\xed\xa0\x80"}) {
    EXPECT_EQ(problems(top("state_dir: /${DIR}"), {{"DIR", value}}),
              "f.yaml:2:12: \"/${DIR}\" takes the environment variable DIR, which is not UTF-8 or "
              "has control characters; set it to plain text\n");
  }
  EXPECT_EQ(state_dir("/${DIR}", {{"DIR", "\xC3\xA9"}}), "/\xC3\xA9");
}

TEST(Expansion, IsNotDoneTwiceNorInKeys) {
  EXPECT_EQ(state_dir("${A}", {{"A", "${B}"}, {"B", "x"}}), "${B}");
  EXPECT_EQ(problems("${K}: 1\n" + std::string(kSmallest), {{"K", "workers"}})
                .find("f.yaml:1:1: unknown key \"${K}\"; "),
            0U);
}

TEST(Expansion, ReachesListsAndMaps) {
  const auto options = good(announce("port: ${P}\ntags: [a, \"${T}\"]\nmeta: {m: \"${T}\"}"),
                            {{"P", "5000"}, {"T", "t1"}});
  EXPECT_EQ(options.announcements.at(0).port, 5000);
  EXPECT_EQ(options.announcements.at(0).tags, (std::vector<std::string>{"a", "t1"}));
  EXPECT_EQ(options.announcements.at(0).meta.at("m"), "t1");
}

TEST(Expansion, ReportsAnUnsetNameOnceWithItsPlace) {
  EXPECT_EQ(problems(top("workers: 1\nmax_clients: ${NOPE}")),
            "f.yaml:3:14: \"${NOPE}\" needs the environment variable NOPE, which is not set; set "
            "it, or write ${NOPE:-default}\n");
}

TEST(Expansion, SurvivesDump) {
  auto options = good(top("state_dir: '$${A}'"));
  EXPECT_EQ(good(dump(options), {{"A", "wrong"}}).state_dir, "${A}");
  options.state_dir = "$${A}";
  EXPECT_EQ(good(dump(options), {{"A", "wrong"}}).state_dir, "$${A}");
}

TEST(ConsulVariables, OverrideTheFile) {
  const auto text = top("consul: {http: http://10.0.0.1:8500}");
  EXPECT_EQ(good(text, {{"CONSUL_HTTP_ADDR", "10.0.0.2:8500"}}).consul_http.url,
            "http://10.0.0.2:8500");
  EXPECT_EQ(good(text, {{"CONSUL_HTTP_ADDR", "http://h:1/"}}).consul_http.url, "http://h:1");
  EXPECT_EQ(good(text, {{"CONSUL_HTTP_ADDR", "unix:///c.sock"}}).consul_http.url, "unix:///c.sock");
  EXPECT_EQ(good(text, {{"CONSUL_HTTP_ADDR", ""}}).consul_http.url, "http://10.0.0.1:8500");
  EXPECT_EQ(good(text, {{"CONSUL_HTTP_TOKEN", " s3cret\n"}}).consul_http.token, "s3cret");
}

TEST(ConsulVariables, NameThemselvesWhenBad) {
  EXPECT_EQ(problems(kSmallest, {{"CONSUL_HTTP_ADDR", "https://h:8501"}}),
            "f.yaml:1:1: environment variable CONSUL_HTTP_ADDR: \"https://h:8501\" needs TLS, and "
            "TLS is not supported yet; write http://HOST:PORT\n");
  EXPECT_EQ(problems(kSmallest, {{"CONSUL_HTTP_ADDR", "nowhere"}}),
            "f.yaml:1:1: environment variable CONSUL_HTTP_ADDR: \"nowhere\" is not where Consul's "
            "API can be; write http://HOST:PORT, HOST:PORT or unix://PATH\n");
  EXPECT_EQ(problems(kSmallest, {{"CONSUL_HTTP_TOKEN_FILE", "/nope/token"}}),
            "f.yaml:1:1: environment variable CONSUL_HTTP_TOKEN_FILE: \"/nope/token\" cannot be "
            "read\n");
}

TEST(ConsulVariables, NeverPrintABadToken) {
  const auto report = problems(kSmallest, {{"CONSUL_HTTP_TOKEN", "s3\r\ncret"}});
  EXPECT_NE(report.find("CONSUL_HTTP_TOKEN"), std::string::npos);
  EXPECT_EQ(report.find("cret"), std::string::npos);
}

TEST(ConsulVariables, TokenFileIsReadTrimmedAndWins) {
  const std::string path = testing::TempDir() + "pilotfish_token_" + std::to_string(::getpid());
  std::ofstream(path) << "  from-file \n";
  const auto options =
      good(kSmallest, {{"CONSUL_HTTP_TOKEN_FILE", path}, {"CONSUL_HTTP_TOKEN", "from-variable"}});
  EXPECT_EQ(options.consul_http.token, "from-file");
  std::ofstream(path) << " \n";
  EXPECT_NE(problems(kSmallest, {{"CONSUL_HTTP_TOKEN_FILE", path}}), "");
  std::remove(path.c_str());
}

TEST(ProcessEnvironment, ReadsVariables) {
  ::setenv("PILOTFISH_TEST_VARIABLE", "x", 1);
  EXPECT_EQ(process_environment()("PILOTFISH_TEST_VARIABLE"), "x");
  ::unsetenv("PILOTFISH_TEST_VARIABLE");
  EXPECT_EQ(process_environment()("PILOTFISH_TEST_VARIABLE"), std::nullopt);
}

}  // namespace
}  // namespace pilotfish::config::test
