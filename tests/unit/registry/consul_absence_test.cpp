#include "registry/consul_absence.hpp"

#include <gtest/gtest.h>

namespace pilotfish::registry {
namespace {

using State = Presence::State;

std::string why(std::vector<Presence> present, const std::vector<std::string>& tags = {"v4"}) {
  return explain({std::move(present), ""}, {"billing", "", {tags}}, tags);
}

TEST(Absence, TellsTheCausesApart) {
  EXPECT_EQ(why({}), "unknown service: Consul knows no instance of \"billing\"");
  EXPECT_EQ(why({{State::kHealthy, {"v3"}}, {State::kCritical, {}}}),
            "unknown tag: none of 2 instances of \"billing\" has tag \"v4\"; their tags: v3");
  EXPECT_EQ(why({{State::kHealthy, {"v4"}}}, {"v4", "read"}),
            "unknown tag: none of 1 instance of \"billing\" has tags \"v4\" + \"read\"; "
            "their tags: v4");
  EXPECT_EQ(why({{State::kCritical, {"V4"}}, {State::kMaintenance, {"v4"}}}),
            "all critical: 2 instances with tag \"v4\": 1 critical, 1 under maintenance");
  EXPECT_EQ(why({{State::kCritical, {}}}, {}), "all critical: 1 instance: 1 critical");
  EXPECT_EQ(why({{State::kUnusable, {}}}, {}),
            "none usable: 1 instance: 1 without an IP address or a port");
  EXPECT_EQ(explain({{}, "refused"}, {"billing", "", {{}}}, {}),
            "the agent's API cannot tell why: refused");
}

TEST(Absence, AHealthyInstanceIsNotExplainedAway) {
  EXPECT_NE(
      why({{State::kHealthy, {"v4"}}}).find("1 instance with tag \"v4\" that is not critical"),
      std::string::npos);
}

TEST(Absence, ManyTagsAreNotAllListed) {
  std::vector<Presence> present;
  for (int i = 0; i < 30; ++i) {
    present.push_back({State::kHealthy, {"t" + std::to_string(10 + i)}});
  }
  EXPECT_NE(why(present).find("t19 and 20 more"), std::string::npos) << why(present);
}

TEST(Presence, ReadsStateAndTagsOfEveryEntry) {
  const auto present = decode_presence(R"([
    {"Service":{"Tags":["b","a"],"Port":1,"Address":"10.0.0.1"},"Checks":[{"Status":"warning"}]},
    {"Service":{"Port":1,"Address":"10.0.0.1"},"Checks":[{"Status":"passing"},{"Status":"critical"}]},
    {"Service":{"Port":1},"Checks":[{"CheckID":"_node_maintenance","Status":"critical"}]},
    {"Service":{"Port":0},"Checks":[]}, 7])");
  ASSERT_TRUE(present);
  ASSERT_EQ(present->size(), 5U);
  EXPECT_EQ(present->at(0).state, State::kHealthy);
  EXPECT_EQ(present->at(0).tags, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(present->at(1).state, State::kCritical);
  EXPECT_EQ(present->at(2).state, State::kMaintenance);
  EXPECT_EQ(present->at(3).state, State::kUnusable);
  EXPECT_EQ(present->at(4).state, State::kUnusable);
  EXPECT_FALSE(decode_presence("{}"));
  EXPECT_FALSE(decode_presence("<html>"));
}

}  // namespace
}  // namespace pilotfish::registry
