#include "registry/consul_absence.hpp"

#include <gtest/gtest.h>

namespace pilotfish::registry {
namespace {

using State = Presence::State;

std::string why(std::vector<Presence> present,
                const resolver::ConsulTier& tier = std::vector<std::string>{"v4"}) {
  return explain({std::move(present), ""}, {"billing", "", {tier}}, tier);
}

const resolver::ConsulTier kAny;

TEST(Absence, TellsTheCausesApart) {
  EXPECT_EQ(why({}), "unknown service \"billing\"");
  EXPECT_EQ(why({{State::kHealthy, {"v3"}}, {State::kCritical, {"v2"}}}),
            "no instance with tag \"v4\" (there are: v2, v3)");
  EXPECT_EQ(why({{State::kHealthy, {}}}), "no instance with tag \"v4\" (they have no tags)");
  EXPECT_EQ(why({{State::kHealthy, {"v4"}}}, {"v4", "read"}),
            "no instance with tags \"v4\" + \"read\" (there are: v4)");
  EXPECT_EQ(why({{State::kCritical, {}}, {State::kCritical, {}}, {State::kCritical, {}}}, kAny),
            "all 3 instances are critical");
  EXPECT_EQ(why({{State::kCritical, {"v4"}}, {State::kCritical, {"v4"}}, {State::kHealthy, {}}}),
            "all 2 instances with tag \"v4\" are critical");
  EXPECT_EQ(why({{State::kCritical, {"V4"}}, {State::kMaintenance, {"v4"}}}),
            "none of 2 instances with tag \"v4\" can be used: 1 critical, 1 under maintenance");
  EXPECT_EQ(why({{State::kCritical, {}}}, kAny), "the only instance is critical");
  EXPECT_EQ(why({{State::kUnusable, {}}}, kAny),
            "the only instance is without an IP address or a port");
  EXPECT_EQ(explain({{}, "refused"}, {"billing", "", {{}}}, kAny),
            "the agent's API cannot tell why: refused");
}

TEST(Absence, CountsWhatATierLeavesOut) {
  resolver::ConsulTier tier;
  tier.tags = {"v4"};
  tier.without = {"canary"};
  EXPECT_EQ(why({{State::kHealthy, {"canary", "v4"}}}, tier),
            "no instance with tag \"v4\" and without tag \"canary\" (there are: canary, v4)");
}

TEST(Absence, AHealthyInstanceIsNotExplainedAway) {
  EXPECT_NE(why({{State::kHealthy, {"v4"}}}).find("1 instance with tag \"v4\" not critical"),
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
    {"Service":{"Tags":["b","a"],"Port":1,"Address":"10.0.0.1","Meta":{"k":"v"}},"Checks":[{"Status":"warning"}]},
    {"Service":{"Port":1,"Address":"10.0.0.1"},"Checks":[{"Status":"passing"},{"Status":"critical"}]},
    {"Service":{"Port":1},"Checks":[{"CheckID":"_node_maintenance","Status":"critical"}]},
    {"Service":{"Port":0},"Checks":[]}, 7])");
  ASSERT_TRUE(present);
  ASSERT_EQ(present->size(), 5U);
  EXPECT_EQ(present->at(0).state, State::kHealthy);
  EXPECT_EQ(present->at(0).tags, (std::vector<std::string>{"a", "b"}));
  using Meta = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(present->at(0).meta, (Meta{{"k", "v"}}));
  EXPECT_EQ(present->at(1).state, State::kCritical);
  EXPECT_EQ(present->at(2).state, State::kMaintenance);
  EXPECT_EQ(present->at(3).state, State::kUnusable);
  EXPECT_EQ(present->at(4).state, State::kUnusable);
  EXPECT_FALSE(decode_presence("{}"));
  EXPECT_FALSE(decode_presence("<html>"));
}

TEST(Absence, CountsMetaAmongWhatATierAsksFor) {
  resolver::ConsulTier tier;
  tier.tags = {"v3"};
  tier.meta = {{"stage", "prod"}};
  const Presence other{State::kHealthy, {"v3"}, {{"stage", "test"}}};
  EXPECT_EQ(why({other, other}, tier),
            "no instance with tag \"v3\" and with meta stage=prod (there are: v3)");
  const Presence fits{State::kCritical, {"v3"}, {{"a", "b"}, {"stage", "prod"}}};
  EXPECT_EQ(why({other, fits}, tier),
            "the only instance with tag \"v3\" and with meta stage=prod is critical");
  tier.without = {"canary"};
  EXPECT_EQ(why({}, tier), "unknown service \"billing\"");
  EXPECT_EQ(why({other}, tier),
            "no instance with tag \"v3\", without tag \"canary\" and with meta stage=prod "
            "(there are: v3)");
}

}  // namespace
}  // namespace pilotfish::registry
