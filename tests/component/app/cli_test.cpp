#include "app/cli.hpp"

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <unistd.h>

#include "app/listeners.hpp"

namespace pilotfish::app {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Ran {
  int code;
  std::string out;
  std::string err;
};

Ran run(std::vector<std::string> words) {
  std::ostringstream out;
  std::ostringstream err;
  const int code = run_command_line(std::move(words), out, err);
  return {code, out.str(), err.str()};
}

/// A configuration in a file of its own.
class File {
 public:
  explicit File(const std::string& text) {
    std::string name = (std::filesystem::temp_directory_path() / "pilotfish-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    path_ = name;
    std::ofstream(path_) << text;
  }
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

const char* const kGood =
    "admin: 'off'\nupstreams:\n  app: {listen: '127.0.0.1:7001', static: ['127.0.0.1:80']}\n";

TEST(CommandLine, CallsWrongUsage64AndSaysHowItIsDone) {
  for (const auto& words : std::vector<std::vector<std::string>>{{"frobnicate"},
                                                                 {"run"},
                                                                 {"run", "-c"},
                                                                 {"check", "--nonsense"},
                                                                 {"resolve", "-c", "x.yaml"},
                                                                 {"reference", "nothing"},
                                                                 {"version", "extra"}}) {
    const auto done = run(words);
    EXPECT_EQ(done.code, 64) << words[0];
    EXPECT_THAT(done.err, HasSubstr("--help")) << words[0];
  }
}

TEST(CommandLine, PrintsHelpWhereNothingIsAsked) {
  const auto done = run({});
  EXPECT_EQ(done.code, 64);
  EXPECT_THAT(done.err, HasSubstr("resolve"));
}

TEST(CommandLine, HelpsEverywhere) {
  EXPECT_EQ(run({"--help"}).code, 0);
  EXPECT_THAT(run({"--help"}).out, HasSubstr("deregister"));
  for (const char* command :
       {"run", "check", "resolve", "register", "deregister", "version", "reference"}) {
    const auto done = run({command, "--help"});
    EXPECT_EQ(done.code, 0) << command;
    EXPECT_THAT(done.out, HasSubstr(command));
  }
}

TEST(CommandLine, HidesTheReferenceFromItsHelp) {
  EXPECT_EQ(run({"--help"}).out.find("reference"), std::string::npos);
  EXPECT_THAT(run({"reference", "metrics"}).out, StartsWith("# Metrics"));
  EXPECT_EQ(run({"reference", "config"}).code, 0);
}

TEST(CommandLine, ChecksAFile) {
  const File good(kGood);
  for (const char* flag : {"-c", "--config"}) {
    const auto done = run({"check", flag, good.path()});
    EXPECT_EQ(done.code, 0) << done.err;
    EXPECT_THAT(done.out, HasSubstr("fine (1 upstream, 0 registrations)"));
  }
}

TEST(CommandLine, TakesTheFileAlsoWithoutAFlag) {
  const File good(kGood);
  EXPECT_EQ(run({"check", good.path()}).code, 0);
  const auto twice = run({"check", "-c", good.path(), good.path()});
  EXPECT_EQ(twice.code, 64);
  EXPECT_THAT(twice.err, HasSubstr("two files"));
  EXPECT_EQ(run({"check", good.path(), "more"}).code, 64);
  EXPECT_EQ(run({"resolve", good.path(), "app"}).code, 0);
  EXPECT_EQ(run({"resolve", "-c", good.path(), "app"}).code, 0);
  EXPECT_EQ(run({"resolve", "app", "-c", good.path()}).code, 0);
  EXPECT_EQ(run({"resolve", "-c", good.path(), "x", "app"}).code, 64);
}

TEST(CommandLine, TakesTheUsualFileWhereNoneIsNamed) {
  const auto here = std::filesystem::current_path();
  std::string folder = (std::filesystem::temp_directory_path() / "pilotfish-XXXXXX").string();
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  std::filesystem::current_path(folder);
  const auto none = run({"check"});
  std::ofstream("pilotfish.yaml") << kGood;
  const auto some = run({"check"});
  const auto resolved = run({"resolve", "app"});
  std::filesystem::current_path(here);
  std::filesystem::remove_all(folder);
  if (!std::filesystem::exists("/etc/pilotfish/pilotfish.yaml")) {
    EXPECT_EQ(none.code, 64);
    EXPECT_THAT(none.err, HasSubstr("/etc/pilotfish/pilotfish.yaml"));
  }
  EXPECT_EQ(some.code, 0) << some.err;
  EXPECT_THAT(some.out, HasSubstr("pilotfish.yaml: fine"));
  EXPECT_EQ(resolved.code, 0) << resolved.err;
}

TEST(CommandLine, TellsItsVersionEitherWay) {
  const auto flag = run({"--version"});
  EXPECT_EQ(flag.code, 0);
  EXPECT_EQ(flag.out, run({"version"}).out);
  EXPECT_THAT(flag.out, StartsWith("pilotfish "));
}

TEST(CommandLine, CallsABadFile78WithItsPlaceInEveryCommand) {
  const File bad("upstreams:\n  app: {lisen: '127.0.0.1:7001', static: ['127.0.0.1:80']}\n");
  for (const char* command : {"check", "run", "register", "deregister"}) {
    const auto done = run({command, "-c", bad.path()});
    EXPECT_EQ(done.code, 78) << command;
    EXPECT_THAT(done.err, HasSubstr(bad.path() + ":2:")) << command;
  }
}

TEST(CommandLine, CallsAMissingFile78At1To1) {
  const auto done = run({"check", "-c", "/nowhere/at/all.yaml"});
  EXPECT_EQ(done.code, 78);
  EXPECT_THAT(done.err, StartsWith("/nowhere/at/all.yaml:1:1: "));
}

TEST(CommandLine, CallsATakenPort69) {
  const auto held = bind_listener("x", *Endpoint::parse("127.0.0.1:0"), 2);
  const File file("admin: 'off'\nupstreams:\n  app: {listen: '" + held.endpoint.to_string() +
                  "', static: ['127.0.0.1:80']}\n");
  EXPECT_EQ(run({"run", "-c", file.path()}).code, 69);
}

TEST(CommandLine, CallsAnAccessLogThatCannotBeOpened69) {
  const File file(
      "admin: 'off'\nlog: {access: /nowhere/at/all}\nupstreams:\n  app: {listen: "
      "'127.0.0.1:0', static: ['127.0.0.1:80']}\n");
  const auto done = run({"run", "-c", file.path()});
  EXPECT_EQ(done.code, 69) << done.err;
}

TEST(CommandLine, ResolvesAStaticUpstream) {
  const File good(kGood);
  const auto text = run({"resolve", "-c", good.path(), "app"});
  EXPECT_EQ(text.code, 0) << text.out;
  EXPECT_THAT(text.out, HasSubstr("127.0.0.1:80"));
  const auto json = run({"resolve", "-c", good.path(), "app", "--json"});
  ASSERT_EQ(json.code, 0);
  const auto root = boost::json::parse(json.out);
  EXPECT_EQ(root.at("upstreams").at(0).at("tier").as_int64(), 0);
  EXPECT_EQ(root.at("upstreams").at(0).at("instances").at(0).at("state").as_string(), "healthy");
}

TEST(CommandLine, NamesTheUpstreamsThereAreWhereOneIsUnknown) {
  const File good(kGood);
  const auto done = run({"resolve", "-c", good.path(), "nobody"});
  EXPECT_EQ(done.code, 64);
  EXPECT_THAT(done.err, HasSubstr("nobody"));
  EXPECT_THAT(done.err, HasSubstr("there are: app"));
}

TEST(CommandLine, Registers69WhereTheAgentDoesNotAnswer) {
  const auto closed = bind_listener("x", *Endpoint::parse("127.0.0.1:0"), 1).endpoint;
  const File file("consul: {http: 'http://" + closed.to_string() +
                  "'}\nregister:\n  web: {port: 5000}\n" + std::string(kGood).substr(13));
  const auto done = run({"register", "-c", file.path()});
  EXPECT_EQ(done.code, 69) << done.err;
}

TEST(CommandLine, RegistersNothingWhereNothingIsToBe) {
  const File good(kGood);
  EXPECT_EQ(run({"register", "-c", good.path()}).code, 0);
}

TEST(CommandLine, SaysWhatWasBuilt) {
  const auto done = run({"version"});
  EXPECT_EQ(done.code, 0);
  for (const char* word : {"pilotfish", "commit", "compiler", "boost", "c-ares", "yaml-cpp"}) {
    EXPECT_THAT(done.out, HasSubstr(word));
  }
}

}  // namespace
}  // namespace pilotfish::app
