#include "bench/harness/process.hpp"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>
#include <unistd.h>

#include "bench/harness/backend.hpp"
#include "bench/harness/sidecar.hpp"
#include "bench/harness/temp_dir.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

std::vector<std::string> shell(const std::string& script) {
  return {"/bin/sh", "-c", script};
}

int wait_for(ChildProcess& child) {
  const auto until = Clock::now() + seconds(10);
  while (!child.exit_code() && Clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  return child.exit_code().value_or(-1);
}

/// A script in place of the sidecar.
std::filesystem::path fake_pilotfish(const TempDir& directory, const std::string& script) {
  const auto path = directory.path() / "pilotfish";
  std::ofstream(path) << "#!/bin/sh\n" << script << "\n";
  std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  return path;
}

TEST(ChildProcess, CapturesOutputAndExitCode) {
  const TempDir directory("lab-test");
  ChildProcess child(shell("echo out; echo err >&2; exit 7"), directory.path() / "log");
  EXPECT_EQ(wait_for(child), 7);
  EXPECT_EQ(child.output_tail(), "out\nerr\n");
  EXPECT_EQ(child.output_tail(4), "err\n");
}

TEST(ChildProcess, EndsOnSigtermAndIsReaped) {
  const TempDir directory("lab-test");
  pid_t pid = 0;
  {
    ChildProcess child(shell("exec sleep 60"), directory.path() / "log");
    pid = child.pid();
    EXPECT_FALSE(child.exit_code());
    EXPECT_EQ(child.terminate(seconds(5)), 128 + SIGTERM);
  }
  EXPECT_EQ(::kill(pid, 0), -1);
  EXPECT_EQ(errno, ESRCH);
}

TEST(ChildProcess, IsKilledWhereItIgnoresSigterm) {
  const TempDir directory("lab-test");
  ChildProcess child(shell("trap '' TERM; echo ready; while :; do sleep 1; done"),
                     directory.path() / "log");
  const auto until = Clock::now() + seconds(10);
  while (child.output_tail() != "ready\n" && Clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(child.terminate(milliseconds(50)), 128 + SIGKILL);
}

TEST(ChildProcess, HidesPartsOfTheEnvironmentAndHasItsOwnGroup) {
  ::setenv("LABTEST_SECRET", "x", 1);
  const TempDir directory("lab-test");
  ChildProcess child(shell("echo \"${LABTEST_SECRET:-hidden}\"; sleep 60"),
                     directory.path() / "log", {"LABTEST_"});
  const auto until = Clock::now() + seconds(10);
  while (child.output_tail().empty() && Clock::now() < until) {
    std::this_thread::sleep_for(milliseconds(1));
  }
  EXPECT_EQ(child.output_tail(), "hidden\n");
  EXPECT_EQ(::getpgid(child.pid()), child.pid());
  ::unsetenv("LABTEST_SECRET");
}

TEST(ChildProcess, InheritsNoListener) {
  LoopThread loop;
  Backend backend(loop, {});
  const TempDir directory("lab-test");
  ChildProcess child(shell("exec sleep 60"), directory.path() / "log");
  std::vector<std::string> open;
  const auto until = Clock::now() + seconds(10);
  do {  // until it has become the shell
    open.clear();
    const auto fds = "/proc/" + std::to_string(child.pid()) + "/fd";
    for (const auto& entry : std::filesystem::directory_iterator(fds)) {
      open.push_back(entry.path().filename());
    }
  } while (open.size() != 3 && Clock::now() < until);
  EXPECT_THAT(open, testing::UnorderedElementsAre("0", "1", "2"));
}

TEST(TempDir, IsGoneWithItsContent) {
  std::filesystem::path path;
  {
    const TempDir directory("lab-test");
    path = directory.path();
    std::ofstream(path / "file") << "x";
    EXPECT_TRUE(std::filesystem::exists(path / "file"));
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

class SidecarStart : public testing::Test {
 protected:
  void TearDown() override { ::unsetenv("PILOTFISH_BIN"); }
  static std::string configure(const Endpoint&, const Endpoint&) { return "upstreams: {}\n"; }
  /// What the start complains of.
  static std::string complaint(Duration limit = seconds(5)) {
    try {
      const Sidecar sidecar(configure, limit);
    } catch (const Unavailable& error) {
      return error.what();
    }
    return "nothing";
  }
  TempDir directory_{"lab-test"};
};

TEST_F(SidecarStart, NamesAnExecutableThatIsMissing) {
  ::setenv("PILOTFISH_BIN", "/nowhere/pilotfish", 1);
  EXPECT_THAT(complaint(), testing::HasSubstr("/nowhere/pilotfish"));
}

TEST_F(SidecarStart, TellsWhatItSaidWhenItEnded) {
  const auto fake = fake_pilotfish(directory_, "echo \"$3:1:1: no upstreams\" >&2; exit 78");
  ::setenv("PILOTFISH_BIN", fake.c_str(), 1);
  const auto text = complaint();
  EXPECT_THAT(text, testing::HasSubstr("code 78"));
  EXPECT_THAT(text, testing::HasSubstr("pilotfish.yaml:1:1: no upstreams"));
}

TEST_F(SidecarStart, TriesOtherPortsWhereOneWasTaken) {
  const auto count = directory_.path() / "count";
  const auto fake = fake_pilotfish(directory_, "echo x >> " + count.string() + "; exit 69");
  ::setenv("PILOTFISH_BIN", fake.c_str(), 1);
  EXPECT_THAT(complaint(), testing::HasSubstr("code 69"));
  EXPECT_EQ(std::filesystem::file_size(count), 6U) << "three tries";
}

TEST_F(SidecarStart, GivesUpOnOneThatIsNeverReady) {
  const auto fake = fake_pilotfish(directory_, "exec sleep 60");
  ::setenv("PILOTFISH_BIN", fake.c_str(), 1);
  EXPECT_THAT(complaint(milliseconds(100)), testing::HasSubstr("not ready"));
}

}  // namespace
}  // namespace pilotfish::bench
