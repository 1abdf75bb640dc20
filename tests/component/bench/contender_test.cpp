#include "bench/harness/contender.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <thread>

#include "bench/harness/drive.hpp"
#include "bench/harness/farm.hpp"

namespace pilotfish::bench {
namespace {

using testing::HasSubstr;

std::string error_of(const Peer& peer, const Assignment& assignment) {
  try {
    const Contender contender(peer, assignment);
  } catch (const Unavailable& error) {
    return error.what();
  }
  return "no error";
}

Peer shell(const std::string& script) {
  Peer peer;
  peer.name = "mine";
  peer.program = "sh";
  peer.command = {"{program}", "-c", script};
  peer.configurations["http_static"] = "{listen}\n";
  return peer;
}

Assignment plain() {
  Assignment assignment;
  assignment.templates = {"http_static"};
  return assignment;
}

TEST(Contender, DirectIsTheInstancesThemselves) {
  Farm farm({FarmOptions::Kind::kHttp, 2});
  const Contender direct(farm.endpoints());
  EXPECT_EQ(direct.name(), "direct");
  EXPECT_EQ(direct.targets(), farm.endpoints());
  EXPECT_FALSE(direct.pid());
}

TEST(Contender, AMissingProgramSaysHowToGetIt) {
  auto peer = shell("");
  peer.program = "no-such-proxy";
  peer.get = "apt-get install no-such-proxy";
  EXPECT_THAT(error_of(peer, plain()), HasSubstr("apt-get install no-such-proxy"));
}

TEST(Contender, WhatEndsAtStartIsQuoted) {
  EXPECT_THAT(error_of(shell("echo the sky is falling; exit 3"), plain()),
              AllOf(HasSubstr("mine ended at start"), HasSubstr("the sky is falling")));
}

TEST(Contender, AMissingConfigurationGivesThePeersReason) {
  auto peer = shell("");
  Assignment assignment;
  assignment.templates = {"http_srv"};
  EXPECT_THAT(error_of(peer, assignment), HasSubstr("no configuration http_srv"));
  peer.lacks["http_srv"] = "it cannot resolve";
  EXPECT_THAT(error_of(peer, assignment), HasSubstr("mine: it cannot resolve"));
}

TEST(Contender, AWordThatNobodyKnowsIsNamed) {
  auto peer = shell("");
  peer.configurations["http_static"] = "bind {listne}\n";
  EXPECT_THAT(error_of(peer, plain()), HasSubstr("{listne}"));
}

#ifdef PILOTFISH_SIDECAR_BIN
TEST(Contender, PilotfishServesTheInstancesItWasGiven) {
  ::setenv("PILOTFISH_BIN", PILOTFISH_SIDECAR_BIN, 1);
  Farm farm({FarmOptions::Kind::kHttp, 2});
  auto assignment = plain();
  assignment.instances = farm.endpoints();
  Contender contender(Peers().find("pilotfish"), assignment);
  EXPECT_THAT(contender.info().version, HasSubstr("pilotfish"));
  EXPECT_THAT(contender.info().configuration, HasSubstr(farm.endpoints()[1].to_string()));
  DriveOptions options;
  options.targets = contender.targets();
  options.connections = 4;
  Drive drive(options);
  const auto until = Clock::now() + std::chrono::seconds(60);
  while (drive.requests() < 50 && Clock::now() < until) std::this_thread::yield();
  const auto report = drive.stop();
  EXPECT_GE(report.requests, 50U);
  EXPECT_EQ(report.failed, 0U);
  contender.must_run();
  contender.process()->send(SIGKILL);
  while (!contender.process()->exit_code()) std::this_thread::yield();
  EXPECT_THROW(contender.must_run(), Unavailable);
  ::unsetenv("PILOTFISH_BIN");
}
#endif

}  // namespace
}  // namespace pilotfish::bench
