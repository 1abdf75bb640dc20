#include "registry/consul_watcher.hpp"
#include "tests/component/registry/watches_fixture.hpp"

namespace pilotfish::test {
namespace {

TEST_F(Watches, PublishesAtOnceAndEachChangeAsItComes) {
  begin({{"billing a", "dc2"}});
  ASSERT_TRUE(run_until([&] { return last("billing a") != nullptr; }));
  EXPECT_TRUE(last("billing a")->up);
  EXPECT_EQ(last("billing a")->instances->size(), 2U);
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  EXPECT_EQ(consul.requests[0].target, "/v1/health/service/billing%20a?stale&dc=dc2");
  EXPECT_EQ(consul.requests[1].target,
            "/v1/health/service/billing%20a?stale&dc=dc2&index=10&wait=" +
                consul.requests[1].target.substr(consul.requests[1].target.rfind('=') + 1));
  EXPECT_EQ(consul.requests[1].header("X-Consul-Token"), "secret");
  consul.change(listing(5));
  ASSERT_TRUE(run_until([&] { return last("billing a")->instances->size() == 5; }));
  consul.change("[]");
  ASSERT_TRUE(run_until([&] { return last("billing a")->instances->empty(); }));
  EXPECT_TRUE(last("billing a")->up) << "an empty service is an answer";
}

TEST_F(Watches, AServiceIsAskedForOnceHoweverManyWantIt) {
  begin({{"billing", ""}, {"billing", ""}, {"web", ""}});
  ASSERT_TRUE(run_until([&] { return last() && last("web"); }));
  run_for(200ms);
  EXPECT_EQ(consul.count("GET", "/v1/health/service/billing"), 2U);
  EXPECT_EQ(consul.count("GET", "/v1/health/service/web"), 2U);
}

TEST_F(Watches, WarningCountsWithItsWeightAndCriticalNever) {
  consul.health =
      "[" + entry(1, R"("v4")", "warning") + "," + entry(2, "", "critical") + "," + entry(3) + "]";
  begin();
  ASSERT_TRUE(up(2));
  EXPECT_EQ(last()->instances->at(0).weight, 3U);
  EXPECT_EQ(last()->instances->at(0).tags, std::vector<std::string>{"v4"});
  EXPECT_EQ(last()->instances->at(1).weight, 10U);
}

TEST_F(Watches, TheSameInstancesAreTheSameListAndAreConfirmedOnceASecond) {
  begin();
  ASSERT_TRUE(up(2));
  const auto first = last()->instances;
  const auto began = Clock::now();
  while (Clock::now() - began < 1500ms) {
    ++consul.index;
    run_for(20ms);
  }
  EXPECT_EQ(last()->instances, first);
  EXPECT_GE(asked(), 10U) << "each change of the index is an answer";
  EXPECT_LE(states["billing"].size(), 1U + static_cast<std::size_t>((Clock::now() - began) / 1s));
}

TEST_F(Watches, AnAgentThatAnswersAtOnceIsAskedTwentyTimesASecondAtMost) {
  begin();
  ASSERT_TRUE(up(2));
  for (const char* index : {"10", "0", "-1", "18446744073709551615", ""}) {
    consul.health_reply = FakeReply{.body = listing(2)};
    if (*index != 0) {
      consul.health_reply->headers = {{"X-Consul-Index", index}};
    }
    ++consul.index;  // ends the waiting query
    const auto before = asked();
    const auto began = Clock::now();
    run_for(1200ms);
    const auto seconds = std::chrono::duration<double>(Clock::now() - began).count();
    EXPECT_LE(static_cast<double>(asked() - before), 20 * seconds + 11) << index;
    EXPECT_GE(asked() - before, 1U) << index;
    EXPECT_TRUE(last()->up) << index;
  }
}

TEST_F(Watches, AnIndexThatGoesBackwardsIsAskedAnewWithoutOneAndBelievedAfterTwoSeconds) {
  begin();
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  const auto began = Clock::now();
  consul.health = listing(3);
  consul.index = 4;
  ASSERT_TRUE(up(3));
  EXPECT_GE(Clock::now() - began, 1900ms);
  EXPECT_LE(Clock::now() - began, 3s);
  EXPECT_EQ(consul.requests[2].target.find("index="), std::string::npos);
  ASSERT_TRUE(run_until(
      [&] { return consul.requests.back().target.find("index=4&") != std::string::npos; }));
  EXPECT_EQ(log.count("Consul watch failed"), 0U);
}

TEST_F(Watches, ACatalogueThatARestartedServerHasHalfReplayedIsNotBelieved) {
  consul.index = 5000;
  begin();
  ASSERT_TRUE(up(2));
  consul.http.down();
  ASSERT_TRUE(down());
  consul.health = listing(1);
  consul.index = 700;
  consul.http.up();
  run_for(1300ms);
  EXPECT_FALSE(last()->up) << "DNS serves until there is something to believe";
  consul.health = listing(2);
  consul.index = 5000;
  const auto began = Clock::now();
  ASSERT_TRUE(up(2));
  EXPECT_LE(Clock::now() - began, 4s);
  for (const auto& state : states["billing"]) {
    EXPECT_TRUE(!state->up || state->instances->size() == 2);
  }
}

struct Bad {
  const char* name;
  FakeReply reply;
  const char* says;
};

std::vector<Bad> bad_replies() {
  FakeReply filtered{.body = "[]", .headers = {{"X-Consul-Results-Filtered-By-ACLs", "true"}}};
  return {
      {"403", {.status = 403, .body = "Permission denied"}, "service:read"},
      {"404", {.status = 404, .body = "not here"}, "404"},
      {"500", {.status = 500, .body = "No cluster leader"}, "No cluster leader"},
      {"redirect",
       {.status = 302, .headers = {{"Location", "http://127.0.0.1:1/"}}},
       "answered 302"},
      {"html", {.body = "<html>login</html>"}, "not understood"},
      {"object", {.body = "{}"}, "not understood"},
      {"null", {.body = "null"}, "not understood"},
      {"nothing", {.body = ""}, "not understood"},
      {"cut json", {.body = listing(2).substr(0, 50)}, "not understood"},
      {"nested", {.body = std::string(200000, '[')}, "not understood"},
      {"cut body",
       {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n[{\"Node\":"},
       "cut short"},
      {"cut chunk",
       {.raw = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{\"N"},
       "cut short"},
      {"no http", {.raw = "SSH-2.0-x\r\n\r\n"}, "not HTTP"},
      {"no answer", {.raw = " "}, ""},
      {"unusable", {.body = "[" + entry(0) + "," + entry(70000) + "]"}, "none of 2 instances"},
      {"thinned by ACLs", filtered, "service:read"},
      {"too large",
       {.raw = "HTTP/1.1 200 OK\r\nContent-Length: 268435456\r\n\r\n["},
       "larger than 64 MiB"},
  };
}

TEST_F(Watches, NoFailureIsAnEmptyServiceAndEachIsSaidOnceAndIsOverOnce) {
  begin();
  for (const auto& bad : bad_replies()) {
    consul.health_reply.reset();
    ASSERT_TRUE(up(2)) << bad.name;
    const auto lines = log.count("Consul watch failed");
    const auto backs = log.count("Consul watch is back");
    consul.health_reply = bad.reply;
    ++consul.index;  // ends the waiting query with a good answer; the next one fails
    ASSERT_TRUE(down()) << bad.name;
    EXPECT_NE(last()->problem.find(bad.says), std::string::npos) << bad.name << last()->problem;
    EXPECT_TRUE(is_failure(last()->failure)) << bad.name;
    run_for(200ms);
    EXPECT_EQ(log.count("Consul watch failed"), lines + 1) << bad.name;
    consul.health_reply.reset();
    ASSERT_TRUE(up(2)) << bad.name;
    EXPECT_EQ(log.count("Consul watch is back"), backs + 1) << bad.name;
  }
}

TEST_F(Watches, AnEmptyListThatAStrangerGetsFromAClosedRegistryIsNoAnswer) {
  consul.health_reply =
      FakeReply{.body = "[]", .headers = {{"X-Consul-Default-Acl-Policy", "deny"}}};
  token.clear();
  begin();
  ASSERT_TRUE(down());
  EXPECT_NE(last()->problem.find("service:read"), std::string::npos) << last()->problem;
  token = "secret";
  states.clear();
  begin();
  EXPECT_TRUE(up(0)) << "who shows a token is told the truth";
}

TEST_F(Watches, RetryAfterOf429IsHonoured) {
  begin();
  ASSERT_TRUE(up(2));
  consul.health_reply =
      FakeReply{.status = 429, .body = "slow down", .headers = {{"Retry-After", "2"}}};
  ++consul.index;
  ASSERT_TRUE(down());
  const auto before = asked();
  run_for(1500ms);
  EXPECT_EQ(asked(), before);
  consul.health_reply.reset();
  EXPECT_TRUE(up(2));
}

TEST_F(Watches, AnAgentThatComesBackEmptyWithLowerIndexesIsBelievedAfterTwoSeconds) {
  consul.index = 5000;
  begin();
  ASSERT_TRUE(up(2));
  consul.http.down();
  ASSERT_TRUE(down());
  consul.index = 3;
  consul.health = "[]";
  consul.http.up();
  ASSERT_TRUE(up(0));
  consul.change(listing(1));
  EXPECT_TRUE(up(1, 3s));
  EXPECT_EQ(log.count("Consul watch failed"), 1U);
  EXPECT_EQ(log.count("Consul watch is back"), 1U);
}

TEST_F(Watches, AnAgentThatHangsIsNoticedWithinSecondsAndAskedAtOnceWhenItAnswers) {
  begin();
  ASSERT_TRUE(up(2));
  const auto began = Clock::now();
  consul.always = FakeReply{.hang = true};
  ASSERT_TRUE(down(20s)) << "long before the query's own deadline";
  EXPECT_GE(Clock::now() - began, ConsulWatches::kProbeTimeout);
  EXPECT_NE(last()->problem.find("no answer in time"), std::string::npos) << last()->problem;
  consul.health = listing(3);
  consul.always.reset();
  EXPECT_TRUE(up(3, 15s));
}

TEST_F(Watches, AnyAnswerToTheProbeWillDo) {
  begin();
  ASSERT_TRUE(up(2));
  run_for(ConsulWatches::kProbeEvery * 2 + 500ms);
  EXPECT_GE(consul.count("GET", "/"), 1U);  // 404: the fake knows no such address
  EXPECT_TRUE(last()->up);
  EXPECT_EQ(log.count("Consul watch failed"), 0U);
}

TEST_F(Watches, WhatIsWatchedNoMoreIsSaidAndAskedForNoMore) {
  begin({{"billing", ""}, {"web", ""}});
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return last("web") != nullptr; }));
  watches->set_desired({{"web", ""}});
  EXPECT_EQ(last(), nullptr);
  const auto before = consul.count("GET", "/v1/health/service/billing");
  const auto others = consul.count("GET", "/v1/health/service/web");
  consul.change(listing(4));
  ASSERT_TRUE(run_until([&] { return last("web")->instances->size() == 4; }));
  EXPECT_EQ(consul.count("GET", "/v1/health/service/billing"), before);
  EXPECT_GT(consul.count("GET", "/v1/health/service/web"), others);
}

TEST_F(Watches, AnotherAgentIsAskedAtOnceAndTheFormerOneNoMore) {
  begin();
  ASSERT_TRUE(up(2));
  ASSERT_TRUE(run_until([&] { return asked() == 2; }));
  FakeConsul other{io};
  other.index = 3;
  other.health = listing(4);
  registry::ConsulHttp options;
  options.url = other.http.url();
  options.token = "new";
  options.only_passing = false;
  watches->set_options(options);
  EXPECT_TRUE(last()->up) << "no gap";
  ASSERT_TRUE(up(4));
  ASSERT_TRUE(run_until([&] { return other.count("GET", "/v1/health/service/") == 2; }));
  EXPECT_EQ(other.requests.front().header("X-Consul-Token"), "new");
  EXPECT_EQ(other.requests.front().target, "/v1/health/service/billing?stale");
  consul.change(listing(9));
  run_for(200ms);
  EXPECT_EQ(asked(), 2U);
  EXPECT_EQ(log.count("Consul watch failed"), 0U);
  watches->set_options(options);
  run_for(100ms);
  EXPECT_EQ(other.count("GET", "/v1/health/service/"), 2U) << "unchanged options change nothing";
  watches.reset();
}

TEST_F(Watches, NothingIsToldOnceTheyAreGone) {
  begin();
  ASSERT_TRUE(up(2));
  const auto before = states["billing"].size();
  watches.reset();
  consul.change(listing(4));
  run_for(300ms);
  EXPECT_EQ(states["billing"].size(), before);
}

TEST_F(Watches, TenThousandInstancesAreOneAnswer) {
  consul.health = listing(10000);
  begin();
  EXPECT_TRUE(up(10000, 60s));
  EXPECT_GT(consul.health.size(), 1000000U);
}

TEST_F(Watches, WithoutALeaderTheAnswerServesAndSaysSo) {
  consul.health_reply = FakeReply{.body = listing(2),
                                  .headers = {{"X-Consul-Index", "7"},
                                              {"X-Consul-Knownleader", "false"},
                                              {"X-Consul-Lastcontact", "1234"}}};
  begin();
  ASSERT_TRUE(up(2));
  EXPECT_EQ(last()->note,
            "the registry has no leader: the answer may be old (last contact 1234 ms before)");
}

}  // namespace
}  // namespace pilotfish::test
