#include "bench/harness/peer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kSmallest = R"(
name: mine
program: my_proxy
command: ["{program}", --config, "{config}"]
configurations:
  http_static: |
    listen {listen}
)";

std::string error_of(const std::string& text) {
  try {
    static_cast<void>(parse_peer(text, "mine.yaml"));
  } catch (const WrongPeer& error) {
    return error.what();
  }
  return "no error";
}

TEST(Peer, NeedsFourKeys) {
  const auto peer = parse_peer(kSmallest, "mine.yaml");
  EXPECT_EQ(peer.name, "mine");
  EXPECT_EQ(peer.program, "my_proxy");
  EXPECT_THAT(peer.command, ElementsAre("{program}", "--config", "{config}"));
  EXPECT_EQ(peer.configurations.at("http_static"), "listen {listen}\n");
  EXPECT_THAT(error_of("program: p\ncommand: [\"{program}\"]\nconfigurations: {http_static: x}\n"),
              HasSubstr("name is missing"));
  EXPECT_THAT(error_of("name: n\ncommand: [\"{program}\"]\n"), HasSubstr("program is missing"));
  EXPECT_THAT(error_of("name: n\nprogram: p\n"), HasSubstr("command is missing"));
  EXPECT_THAT(error_of("name: n\nprogram: p\ncommand: [\"{program}\"]\n"),
              HasSubstr("configurations is missing"));
}

TEST(Peer, ErrorsSayWhere) {
  EXPECT_THAT(error_of("name: n\nprogramme: p\n"), HasSubstr("mine.yaml:2: unknown key"));
  EXPECT_THAT(error_of("name: n\nprogram: [p]\n"), HasSubstr("mine.yaml:2: program is a text"));
  EXPECT_THAT(error_of("name: n\ncommand: haproxy -f\n"), HasSubstr("command is a list"));
  EXPECT_THAT(error_of("name: n\ncommand: [haproxy]\n"), HasSubstr("begins with \"{program}\""));
  EXPECT_THAT(error_of("name: n\n  oops: [\n"), HasSubstr("mine.yaml:"));
  EXPECT_THAT(error_of(""), HasSubstr("is a map"));
}

TEST(Peers, TheBuiltInOnesAreUnderstood) {
  const Peers peers;
  EXPECT_THAT(peers.names(), ElementsAre("envoy", "haproxy", "nginx", "pilotfish"));
  for (const auto& name : peers.names()) {
    const auto peer = peers.find(name);
    EXPECT_EQ(peer.name, name);
    EXPECT_TRUE(peer.configurations.contains("http_static")) << name;
    EXPECT_FALSE(peer.about.empty()) << name;
    EXPECT_FALSE(peer.get.empty()) << name;
    EXPECT_FALSE(peer.version.empty()) << name;
  }
}

TEST(Peers, AnUnknownNameIsToldWhichThereAre) {
  try {
    static_cast<void>(Peers().find("traefik"));
    FAIL() << "it was found";
  } catch (const WrongPeer& error) {
    EXPECT_THAT(error.what(), HasSubstr("\"traefik\""));
    EXPECT_THAT(error.what(), HasSubstr("haproxy"));
  }
  EXPECT_THROW(static_cast<void>(Peers().find("./nowhere.yaml")), WrongPeer);
}

}  // namespace
}  // namespace pilotfish::bench
