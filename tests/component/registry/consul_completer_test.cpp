#include "registry/consul_completer.hpp"

#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_consul.hpp"

namespace pilotfish::test {
namespace {

class Completer : public RegistryTest {
 protected:
  std::optional<InstanceList> complete(const std::vector<std::string>& tags, Duration limit = 2s) {
    registry::ConsulHttp options;
    options.url = consul.http.url();
    options.token = "t";
    registry::ConsulCompleter completer(io.get_executor(), options, log);
    resolver::ConsulSource source;
    source.service = "billing a";
    source.datacenter = "dc2";
    return await(completer.complete(source, tags, Clock::now() + limit))
        .value_or(std::optional<InstanceList>{});
  }
  resolver::AbsenceVerdict confirm(Duration limit = 2s, std::string token = "t") {
    registry::ConsulHttp options;
    options.url = consul.http.url();
    options.token = std::move(token);
    registry::ConsulCompleter completer(io.get_executor(), options, log);
    resolver::ConsulSource source;
    source.service = "billing";
    source.datacenter = "dc2";
    return await(completer.confirm_absence(source, {"v4"}, Clock::now() + limit))
        .value_or(resolver::AbsenceVerdict{});
  }
  static std::string listing(int count) {
    std::string out = "[";
    for (int i = 0; i < count; ++i) {
      out += (i > 0 ? "," : "") + std::string(R"({"Node":{"Address":"10.0.0.1"},"Service":{)") +
             R"("Tags":["V4","read"],"Port":)" + std::to_string(1000 + i) + "},\"Checks\":[]}";
    }
    return out + "]";
  }

  FakeConsul consul{io};
};

TEST_F(Completer, ListsEveryInstanceWithAllTagsInAnyCase) {
  consul.health = listing(2000);
  const auto found = complete({"v4", "read"});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->size(), 2000U);
  EXPECT_TRUE(found->front().tags.empty()) << "as from DNS: the tier puts its own";
  const auto& request = consul.requests.front();
  EXPECT_EQ(request.target, "/v1/health/service/billing%20a?stale&dc=dc2&tag=read&tag=v4");
  EXPECT_EQ(request.header("X-Consul-Token"), "t");
}

TEST_F(Completer, ListsWarningInstancesOnlyWhereTheAgentsDnsDoes) {
  consul.health =
      R"([{"Node":{"Address":"10.0.0.1"},"Service":{"Port":1},"Checks":[{"Status":"warning"}]},)"
      R"({"Node":{"Address":"10.0.0.1"},"Service":{"Port":2},"Checks":[{"Status":"passing"}]}])";
  for (const bool only_passing : {false, true}) {
    consul.self = FakeReply{.body = std::string(R"({"DebugConfig":{"DNSOnlyPassing":)") +
                                    (only_passing ? "true" : "false") + "}}"};
    const auto found = complete({});
    ASSERT_TRUE(found);
    EXPECT_EQ(found->size(), only_passing ? 1U : 2U);
  }
}

TEST_F(Completer, DropsWhatAnAgentThatIgnoresTagsListsTooMuch) {
  consul.health = listing(3);
  const auto found = complete({"v5"});
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
}

TEST_F(Completer, EveryFailureIsNothingAndNeverAnEmptyList) {
  consul.always = FakeReply{.status = 500, .body = "No cluster leader"};
  EXPECT_FALSE(complete({}));
  consul.always = FakeReply{.body = "<html>"};
  EXPECT_FALSE(complete({}));
  consul.always = FakeReply{.hang = true};
  EXPECT_FALSE(complete({}, 100ms));
  consul.http.down();
  EXPECT_FALSE(complete({}));
  EXPECT_EQ(log.count("No cluster leader"), 1U);
}

using Verdict = resolver::AbsenceVerdict::Kind;

TEST_F(Completer, ConfirmsAnAbsenceByAWholeAndConsistentAnswer) {
  EXPECT_EQ(confirm().kind, Verdict::kAbsent);
  EXPECT_EQ(consul.requests.back().target, "/v1/health/service/billing?passing&dc=dc2&tag=v4");
  consul.health = listing(2);
  const auto present = confirm();
  EXPECT_EQ(present.kind, Verdict::kPresent);
  ASSERT_EQ(present.instances.size(), 2U);
  EXPECT_TRUE(present.instances.front().tags.empty());
  EXPECT_EQ(present.why, "the agent's API has 2 passing instances");
}

TEST_F(Completer, CountsInstancesThatItCannotUseAsPresent) {
  consul.health = R"([{"Service":{"Address":"a.example","Port":80,"Tags":["v4"]},"Checks":[]}])";
  const auto verdict = confirm();
  EXPECT_EQ(verdict.kind, Verdict::kPresent);
  EXPECT_TRUE(verdict.instances.empty());
}

TEST_F(Completer, CannotTellWhatItMayNotSee) {
  consul.health_reply =
      FakeReply{.body = "[]", .headers = {{"X-Consul-Results-Filtered-By-ACLs", "true"}}};
  EXPECT_EQ(confirm().kind, Verdict::kUntold);
  consul.health_reply =
      FakeReply{.body = "[]", .headers = {{"X-Consul-Default-Acl-Policy", "deny"}}};
  EXPECT_EQ(confirm(2s, "").kind, Verdict::kUntold);
  EXPECT_EQ(confirm().kind, Verdict::kAbsent);
}

TEST_F(Completer, TellsAnExplicitFailureFromNoAnswer) {
  for (const auto& [status, kind, failure] :
       {std::tuple{500U, Verdict::kFailed, LookupResult::kServfail},
        {403U, Verdict::kFailed, LookupResult::kRefused},
        {429U, Verdict::kUntold, LookupResult::kServfail},
        {404U, Verdict::kUntold, LookupResult::kRefused},
        {302U, Verdict::kUntold, LookupResult::kMalformed}}) {
    consul.always = FakeReply{.status = status, .body = "No path to datacenter"};
    const auto verdict = confirm();
    EXPECT_EQ(verdict.kind, kind) << status;
    EXPECT_EQ(verdict.failure, failure) << status;
    EXPECT_NE(verdict.why.find("No path to datacenter"), std::string::npos);
  }
  consul.always = FakeReply{.body = "<html>"};
  EXPECT_EQ(confirm().kind, Verdict::kUntold);
  consul.http.down();
  EXPECT_EQ(confirm().kind, Verdict::kUntold);
}

TEST_F(Completer, WaitsForTheApiOfAnAgentThatStarts) {
  consul.health = listing(2);
  consul.http.down();
  net::Timer start(io, Clock::now() + 60ms);
  start.async_wait([this](net::ErrorCode) { consul.http.up(); });
  EXPECT_EQ(confirm().kind, Verdict::kPresent);
}

TEST_F(Completer, TakesAnAgentThatWaitsForALeaderForAFailureAndASilentOneForNone) {
  consul.always = FakeReply{.hang = true};
  const auto before = Clock::now();
  EXPECT_EQ(confirm(200ms).kind, Verdict::kUntold);
  EXPECT_LT(Clock::now() - before, 2s);

  consul.always.reset();
  consul.health_reply = FakeReply{.hang = true};
  const auto stale = [](const FakeRequest& request) -> std::optional<FakeReply> {
    if (request.target.find("?stale") == std::string::npos) {
      return std::nullopt;
    }
    return FakeReply{.body = "[]", .headers = {{"X-Consul-Knownleader", "false"}}};
  };
  consul.instead = stale;
  const auto verdict = confirm(600ms);
  EXPECT_EQ(verdict.kind, Verdict::kFailed);
  EXPECT_EQ(verdict.why, "the agent knows no leader");
}

}  // namespace
}  // namespace pilotfish::test
