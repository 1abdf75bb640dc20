#include "tests/component/registry/watches_fixture.hpp"

namespace pilotfish::test {
namespace {

const std::string kRefusedForMany =
    "Your IP is issuing too many concurrent connections, please rate limit your calls\n";

TEST_F(Watches, AStreamThatIsCutOffIsNoticedByAskingAServer) {
  consul.stream(listing(2), 10);
  begin();
  ASSERT_TRUE(up(2));
  run_for(500ms);
  consul.change(listing(3));  // and the agent's view never hears of it
  EXPECT_TRUE(up(3, 3s));
  EXPECT_EQ(log.count("Consul watch failed"), 0U);
}

TEST_F(Watches, AnAnswerThatIsStreamedAndTheSameDoesNotMakeTheSetYounger) {
  consul.stream(listing(2), 10);
  begin();
  ASSERT_TRUE(up(2));
  const auto first = last()->asked;
  ASSERT_TRUE(run_until([&] { return asked() >= 2; }));
  consul.stream(listing(2), 11);
  consul.health_reply = FakeReply{.hang = true};  // no server answers any more
  ASSERT_TRUE(down(6s)) << "DNS is asked when a server has nothing to say for seconds";
  for (const auto& state : states["billing"]) {
    EXPECT_TRUE(!state->up || state->asked == first);
  }
}

TEST_F(Watches, AnEmptyStreamedAnswerOfATokenThatLostItsRightsIsAFailure) {
  consul.stream(listing(2), 10);
  begin();
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  consul.health_reply = FakeReply{
      .body = "[]",
      .headers = {{"X-Consul-Index", "10"}, {"X-Consul-Results-Filtered-By-ACLs", "true"}}};
  consul.stream("[]", 12);  // says nothing of that
  ASSERT_TRUE(down());
  EXPECT_NE(last()->problem.find("service:read"), std::string::npos) << last()->problem;
  for (const auto& state : states["billing"]) {
    EXPECT_TRUE(!state->up || !state->instances->empty());
  }
}

TEST_F(Watches, AStreamedLossThatAServerConfirmsArrivesAtOnce) {
  consul.stream(listing(2), 10);
  begin();
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  consul.change(listing(1));
  consul.stream(listing(1), 11);
  EXPECT_TRUE(up(1, 1s));
}

TEST_F(Watches, AStreamedCriticalOneIsBelievedWithoutAskingAnybody) {
  consul.stream(listing(2), 10);
  begin();
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  consul.stream("[" + entry(1000) + "," + entry(1001, "", "critical") + "]", 11);
  EXPECT_TRUE(up(1, 1s));
}

TEST_F(Watches, AStreamNeverKnowsALeaderAndThatIsNoNote) {
  consul.stream(listing(2), 10);
  begin();
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  consul.change(listing(3));
  consul.stream(listing(3), 11);
  ASSERT_TRUE(up(3));
  EXPECT_EQ(last()->note, "");
}

TEST_F(Watches, BlockingQueriesThatFailAloneArePolledPolitelyAndSaidOnce) {
  consul.indexed_reply = FakeReply{.status = 500, .body = "no blocking here"};
  begin();
  ASSERT_TRUE(up(2));
  run_for(4s);
  EXPECT_LE(asked(), 12U);
  EXPECT_GE(asked(), 5U);
  consul.health = listing(4);
  EXPECT_TRUE(up(4, 2s)) << "polled once a second";
  EXPECT_EQ(log.lines.size(), 1U) << log.all();
  EXPECT_EQ(log.count("no blocking here"), 1U);
  for (const auto& state : states["billing"]) {
    EXPECT_TRUE(state->up) << "nothing has failed";
  }
  consul.indexed_reply.reset();
  EXPECT_TRUE(run_until([&] { return log.count("answers blocking queries again") == 1; }, 10s));
}

TEST_F(Watches, AboveAHundredServicesTheRestIsLeftToDnsAndSaidOnce) {
  std::vector<WatchKey> many;
  for (int i = 0; i < 103; ++i) {
    many.push_back({"s" + std::to_string(i), ""});
  }
  begin(many);
  ASSERT_TRUE(run_until([&] { return last("s99") && last("s99")->up && last("s102"); }, 20s));
  for (const auto* name : {"s100", "s101", "s102"}) {
    ASSERT_TRUE(last(name)) << name;
    EXPECT_TRUE(last(name)->left_to_dns);
    EXPECT_FALSE(last(name)->up);
    EXPECT_NE(last(name)->problem.find("100 services"), std::string::npos);
    EXPECT_EQ(consul.count("GET", std::string("/v1/health/service/") + name), 0U);
  }
  EXPECT_EQ(log.count("left_to_dns=3"), 1U) << log.all();
  EXPECT_EQ(log.lines.size(), 1U) << log.all();
  many.resize(101);
  watches->set_desired(many);
  EXPECT_EQ(last("s102"), nullptr);
  EXPECT_TRUE(last("s100")->left_to_dns);
  many.erase(many.begin());
  watches->set_desired(many);
  ASSERT_TRUE(run_until([&] { return last("s100") && last("s100")->up; }));
  EXPECT_EQ(log.count("every service is watched again"), 1U) << log.all();
}

TEST_F(Watches, WhereConsulTakesNoMoreConnectionsFewerServicesAreWatched) {
  std::vector<WatchKey> many;
  for (int i = 0; i < 20; ++i) {
    many.push_back({"s" + std::to_string(i), ""});
  }
  begin(many);
  ASSERT_TRUE(run_until([&] { return last("s19") && last("s19")->up; }));
  consul.health_reply = FakeReply{.status = 429, .body = kRefusedForMany};
  ++consul.index;  // every query ends; the next one is refused
  ASSERT_TRUE(run_until([&] {
    return std::ranges::all_of(many, [&](const auto& key) { return !last(key.service)->up; });
  }));
  EXPECT_TRUE(last("s15")->left_to_dns);
  EXPECT_FALSE(last("s14")->left_to_dns);
  const auto before = asked();
  run_for(300ms);
  EXPECT_EQ(asked(), before) << "nobody asks again within a second";
  EXPECT_EQ(log.lines.size(), 1U) << log.all();
  EXPECT_EQ(log.count("http_max_conns_per_client"), 1U);
  consul.health_reply.reset();
  EXPECT_TRUE(run_until([&] { return last("s0")->up; }));
}

TEST_F(Watches, AHeartbeatThatFindsNoConnectionMakesTheWatchesGiveWay) {
  std::vector<WatchKey> many;
  for (int i = 0; i < 8; ++i) {
    many.push_back({"s" + std::to_string(i), ""});
  }
  begin(many);
  ASSERT_TRUE(run_until([&] { return last("s7") && last("s7")->up; }));
  watches->give_way();
  EXPECT_TRUE(last("s7")->left_to_dns) << "at once";
  EXPECT_TRUE(last("s6")->left_to_dns);
  EXPECT_TRUE(last("s5")->up);
}

TEST_F(Watches, WhatDnsLeavesOutIsLearntFromTheAgent) {
  only_passing.reset();
  consul.self = FakeReply{.body = R"({"DebugConfig":{"DNSOnlyPassing":true}})"};
  consul.health = "[" + entry(1, "", "warning") + "," + entry(2) + "]";
  begin();
  ASSERT_TRUE(up(1));
  EXPECT_EQ(consul.requests.front().target, "/v1/agent/self");
  for (const auto& state : states["billing"]) {
    EXPECT_EQ(state->instances->size(), 1U) << "not even for a moment";
  }
  consul.http.down();
  ASSERT_TRUE(down());
  consul.self = FakeReply{.body = R"({"DebugConfig":{"DNSOnlyPassing":false}})"};
  consul.http.up();
  EXPECT_TRUE(up(2)) << "an agent that is back may be another one";
}

TEST_F(Watches, WhereTheAgentMayNotBeAskedTheFileSaysIt) {
  consul.self = FakeReply{.status = 403, .body = "Permission denied"};
  consul.health = "[" + entry(1, "", "warning") + "," + entry(2) + "]";
  only_passing.reset();
  begin();
  ASSERT_TRUE(up(2)) << "Consul's own default";
  EXPECT_EQ(log.count("consul.only_passing"), 1U) << log.all();
  only_passing = true;
  states.clear();
  begin();
  EXPECT_TRUE(up(1));
}

TEST_F(Watches, AServiceWithHostNamesIsLeftToDnsAndSaidOnceUntilItHasNoneAnyMore) {
  const std::string named =
      R"({"Node":{"Address":"10.0.0.1"},"Service":{"Address":"db.example.com","Port":80}})";
  consul.health = "[" + named + "," + entry(2) + "]";
  begin();
  ASSERT_TRUE(run_until([&] { return last() != nullptr; }));
  EXPECT_TRUE(last()->left_to_dns);
  EXPECT_NE(last()->problem.find("host name"), std::string::npos) << last()->problem;
  EXPECT_EQ(log.count("host name"), 1U) << log.all();
  consul.change("[" + entry(2) + "]");
  EXPECT_TRUE(up(1));
  EXPECT_EQ(log.lines.size(), 1U) << log.all();
}

TEST_F(Watches, AStreamedChangeOfMetaOrNodeAloneArrivesWithoutADirectQuery) {
  const auto listed = [](const std::string& node, const std::string& stage) {
    return R"([{"Node":{"Node":")" + node + R"(","Address":"10.0.0.1"},"Service":{"Port":80,)" +
           R"("Meta":{"stage":")" + stage + R"("}},"Checks":[]}])";
  };
  consul.health = listed("a", "test");
  consul.stream(consul.health, 10);
  begin();
  ASSERT_TRUE(up(1));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  consul.health_reply = FakeReply{.hang = true};  // from now on only the view tells
  consul.stream(listed("a", "prod"), 11);
  const auto meta = [&] { return last()->up ? last()->details->at(0).meta.at(0).second : "?"; };
  EXPECT_TRUE(run_until([&] { return meta() == "prod"; }, 1s));
  consul.stream(listed("b", "prod"), 12);
  EXPECT_TRUE(run_until([&] { return last()->up && last()->details->at(0).node == "b"; }, 1s));
}

}  // namespace
}  // namespace pilotfish::test
