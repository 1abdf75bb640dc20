#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>

#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/process.hpp"
#include "bench/harness/temp_dir.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::EndsWith;
using testing::HasSubstr;

/// The real executable, its output in a file.
class LabCommand : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("PILOTFISH_BIN"); }

  void start(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), PILOTFISH_LAB_BIN);
    child_ = std::make_unique<ChildProcess>(arguments, directory_.path() / "log");
  }
  int finish(Duration limit = seconds(20)) {
    const auto until = Clock::now() + limit;
    while (!child_->exit_code() && Clock::now() < until) {
      std::this_thread::sleep_for(milliseconds(2));
    }
    return child_->exit_code().value_or(-1);
  }
  int run(std::vector<std::string> arguments) {
    start(std::move(arguments));
    return finish();
  }
  bool says(const std::string& text) {
    const auto until = Clock::now() + seconds(20);
    while (Clock::now() < until) {
      if (output().find(text) != std::string::npos) return true;
      std::this_thread::sleep_for(milliseconds(2));
    }
    return false;
  }
  [[nodiscard]] std::string output() const { return child_->output_tail(100000); }
  [[nodiscard]] std::string last_line() const {
    auto text = output();
    if (!text.empty()) text.pop_back();
    return text.substr(text.rfind('\n') + 1);
  }

  TempDir directory_{"lab-test"};
  std::unique_ptr<ChildProcess> child_;
};

TEST_F(LabCommand, HelpsEverywhere) {
  EXPECT_EQ(run({"--help"}), 0);
  EXPECT_THAT(output(), HasSubstr("demo"));
  EXPECT_EQ(run({"demo", "--help"}), 0);
  EXPECT_THAT(output(), HasSubstr("--for"));
}

TEST_F(LabCommand, WrongUsageIs64AndSaysWhy) {
  EXPECT_EQ(run({}), 64);
  EXPECT_EQ(run({"dance"}), 64);
  EXPECT_EQ(run({"demo", "--for", "4999ms"}), 64);
  EXPECT_THAT(output(), HasSubstr("at least 5s"));
  EXPECT_EQ(run({"demo", "--for", "soon"}), 64);
  EXPECT_THAT(output(), HasSubstr("\"soon\" is not a duration"));
  EXPECT_EQ(run({"bench", "nonsense"}), 64);
  EXPECT_THAT(output(), HasSubstr("nonsense"));
}

TEST_F(LabCommand, WhatIsMissingIs69) {
  ::setenv("PILOTFISH_BIN", "/nowhere/pilotfish", 1);
  EXPECT_EQ(run({"demo", "--for", "5s"}), 69);
  EXPECT_THAT(output(), HasSubstr("/nowhere/pilotfish"));
  const EmbeddedRegistry taken;
  EXPECT_EQ(run({"registry", "--port", std::to_string(taken.endpoint().port)}), 69);
  EXPECT_THAT(output(), HasSubstr("cannot be bound"));
  EXPECT_EQ(run({"registry", "--port", "0", "--file", "/nowhere.json"}), 78);
}

TEST_F(LabCommand, RegistryServesUntilItIsToldToEnd) {
  start({"registry", "--port", "0"});
  ASSERT_TRUE(says("DNS at 127.0.0.1:"));
  child_->send(SIGTERM);
  EXPECT_EQ(finish(), 0);
}

#ifdef PILOTFISH_SIDECAR_BIN
TEST_F(LabCommand, DemoLosesNoRequest) {
  ::setenv("PILOTFISH_BIN", PILOTFISH_SIDECAR_BIN, 1);
  start({"demo", "--for", "5s"});
  EXPECT_EQ(finish(seconds(60)), 0) << output();
  EXPECT_THAT(last_line(), testing::MatchesRegex("[0-9]+ requests, 0 failed"));
  EXPECT_THAT(output(), HasSubstr("v3 took over after"));
  EXPECT_THAT(output(), HasSubstr("v4 took over after"));
}

TEST_F(LabCommand, DemoEndsWithItsSummaryWhenInterrupted) {
  ::setenv("PILOTFISH_BIN", PILOTFISH_SIDECAR_BIN, 1);
  start({"demo", "--for", "60s"});
  ASSERT_TRUE(says("requests/s"));
  child_->send(SIGINT);
  EXPECT_EQ(finish(), 1);
  EXPECT_THAT(output(), HasSubstr("interrupted"));
  EXPECT_THAT(last_line(), EndsWith(" failed"));
}
#endif

}  // namespace
}  // namespace pilotfish::bench
