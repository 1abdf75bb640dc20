#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_consul.hpp"

namespace pilotfish::test {
namespace {

using registry::Announcement;
using registry::CheckKind;

using Withdrawal = registry::Registrar::Withdrawal;

constexpr const char* kId = "web-127.0.0.1-5000";

Announcement web() {
  Announcement announcement;
  announcement.key = announcement.name = "web";
  announcement.port = 5000;
  announcement.address = "127.0.0.1";
  announcement.tags = {"v3", "read"};
  announcement.meta = {{"version", "3.2"}};
  announcement.check.kind = CheckKind::kHttp;
  announcement.check.target = "http://127.0.0.1:1/_checker";
  return announcement;
}

class ConsulRegistrar : public RegistryTest {
 protected:
  void begin(std::vector<Announcement> announcements) {
    registry::RegistrarOptions options;
    options.consul.url = consul.http.url();
    options.consul.token = token;
    options.admin = admin;
    make(std::move(options));
    registrar->set_desired(std::move(announcements));
    registrar->start();
  }
  [[nodiscard]] bool settled(const std::string& service = "web") {
    return run_until([&] { return up.contains(service) && up[service]; });
  }

  FakeConsul consul{io};
  std::string token;
  std::optional<Endpoint> admin;
};

TEST_F(ConsulRegistrar, RegistersAndTellsOnce) {
  begin({web()});
  EXPECT_FALSE(up.at("web")) << "the state before the first answer is told";
  ASSERT_TRUE(settled());
  EXPECT_TRUE(consul.knows(kId));
  EXPECT_EQ(log.count("registered service=web"), 1U) << log.all();
  ASSERT_TRUE(run_until([&] { return consul.count("GET", "/v1/agent/health/") >= 1; }));
  EXPECT_EQ(consul.count("PUT", "/v1/agent/service/register"), 1U);
  EXPECT_EQ(consul.requests.front().target, "/v1/agent/service/register?replace-existing-checks=1");
}

TEST_F(ConsulRegistrar, NoticesWithinThreeSecondsThatTheAgentForgot) {
  begin({web()});
  ASSERT_TRUE(settled());
  consul.forget();
  EXPECT_TRUE(run_until([&] { return consul.knows(kId); }, 3s));
  EXPECT_EQ(log.count("no longer knows"), 1U);
}

TEST_F(ConsulRegistrar, PutsAnAlteredServiceRight) {
  begin({web()});
  ASSERT_TRUE(settled());
  const auto ours = consul.registration(kId);
  auto altered = ours;
  altered.replace(altered.find("v3"), 2, "v9");
  consul.services[kId] = altered;
  EXPECT_TRUE(run_until([&] { return consul.registration(kId) == ours; }, 3s));
  EXPECT_EQ(log.count("differs=tags"), 1U) << log.all();
}

TEST_F(ConsulRegistrar, WaitsForAnAgentThatIsNotThereYetAndSaysSoOnce) {
  consul.http.down();
  auto second = web();
  second.key = second.name = "second";
  begin({web(), second});
  run_for(700ms);
  EXPECT_EQ(log.count("not reachable"), 1U) << log.all();
  consul.http.up();
  ASSERT_TRUE(settled());
  ASSERT_TRUE(settled("second"));
  EXPECT_EQ(log.count("answers again"), 1U);
  EXPECT_EQ(log.lines.size(), 4U) << log.all();
}

TEST_F(ConsulRegistrar, TellsThatTheAgentIsLostAndFindsItAgain) {
  begin({web()});
  ASSERT_TRUE(settled());
  consul.http.down();
  consul.forget();
  ASSERT_TRUE(run_until([&] { return !up["web"]; }, 3s));
  consul.http.up();
  ASSERT_TRUE(run_until([&] { return up["web"] && consul.knows(kId); }));
}

TEST_F(ConsulRegistrar, SaysWhatToDoWhenTheTokenIsRefused) {
  consul.always = FakeReply{.status = 403, .body = "Permission denied: token lacks service:write"};
  token = "secret-token";
  begin({web()});
  run_for(800ms);
  EXPECT_GE(consul.requests.size(), 2U);
  EXPECT_EQ(log.count("not registered"), 1U) << log.all();
  EXPECT_EQ(log.count("Permission denied: token lacks service:write"), 1U);
  EXPECT_EQ(log.count("CONSUL_HTTP_TOKEN"), 1U);
  EXPECT_EQ(log.count("secret-token"), 0U);
  EXPECT_EQ(consul.requests.front().header("X-Consul-Token"), "secret-token");
  EXPECT_FALSE(up.at("web"));
  consul.always.reset();
  EXPECT_TRUE(settled());
}

TEST_F(ConsulRegistrar, SurvivesErrorsAndGarbageAndSaysEachOnce) {
  begin({web()});
  ASSERT_TRUE(settled());
  for (const auto& [reply, words] : std::vector<std::pair<FakeReply, std::string>>{
           {{.status = 500, .body = "No cluster leader"}, "No cluster leader"},
           {{.body = "{\"Service\":"}, "not understood"},
           {{.raw = "nonsense\r\n\r\n"}, "not HTTP"}}) {
    consul.always = reply;
    ASSERT_TRUE(run_until([&, text = words] { return log.count(text) == 1; }, 4s)) << words;
    EXPECT_FALSE(up.at("web"));
    consul.always.reset();
    ASSERT_TRUE(settled()) << log.all();
  }
  EXPECT_TRUE(consul.knows(kId));
}

TEST_F(ConsulRegistrar, AHangingAgentDoesNotHoldTheOthersUp) {
  consul.always = FakeReply{.hang = true};
  begin({web()});
  ASSERT_TRUE(run_until([&] { return log.count("no answer in time") == 1; }, 3s)) << log.all();
  consul.always.reset();
  EXPECT_TRUE(settled());
}

TEST_F(ConsulRegistrar, ASlowAgentIsGoodEnough) {
  consul.always = FakeReply{.delay = 300ms};
  begin({web()});
  EXPECT_TRUE(settled());
}

TEST_F(ConsulRegistrar, DeregistersEverythingOnStop) {
  auto second = web();
  second.port = 5001;
  begin({web(), second});
  ASSERT_TRUE(run_until([&] { return consul.services.size() == 2; }));
  const auto took = stop(5s);
  ASSERT_TRUE(took);
  EXPECT_LT(*took, 1s);
  EXPECT_TRUE(consul.services.empty());
  EXPECT_FALSE(up.at("web"));
  run_for(300ms);
  EXPECT_TRUE(consul.services.empty()) << "nothing registers again after stop";
}

TEST_F(ConsulRegistrar, StopEndsInTimeThoughTheAgentIsGoneOrHangs) {
  begin({web()});
  ASSERT_TRUE(settled());
  consul.http.down();
  auto took = stop(5s);
  ASSERT_TRUE(took);
  EXPECT_LT(*took, 2s);
  EXPECT_EQ(log.count("not deregistered"), 1U) << log.all();

  consul.http.up();
  begin({web()});
  ASSERT_TRUE(settled());
  consul.always = FakeReply{.hang = true};
  took = stop(1s);
  ASSERT_TRUE(took);
  EXPECT_LT(*took, 2s);
}

TEST_F(ConsulRegistrar, KeepsATtlCheckAliveAtAThirdOfIt) {
  auto announcement = web();
  announcement.check = {};
  announcement.check.kind = CheckKind::kTtl;
  announcement.check.ttl = 300ms;
  begin({announcement});
  ASSERT_TRUE(run_until([&] { return consul.passes[kId] >= 1; }));
  const auto began = Clock::now();
  const auto before = consul.passes[kId];
  run_for(900ms);
  const auto passes = consul.passes[kId] - before;
  EXPECT_GE(passes, 5) << "within " << (Clock::now() - began).count();
  EXPECT_LE(passes, 10);
  consul.forget();
  EXPECT_TRUE(run_until([&] { return consul.knows(kId); }, 1s)) << "an unknown check is noticed";
}

TEST_F(ConsulRegistrar, ReloadWithdrawsWhatIsGoneAndChangesTheRestInPlace) {
  auto second = web();
  second.key = second.name = "second";
  begin({web(), second});
  ASSERT_TRUE(settled());
  ASSERT_TRUE(settled("second"));
  const auto registered = consul.count("PUT", "/v1/agent/service/register");
  auto changed = web();
  changed.tags = {"v4"};
  registrar->set_desired({changed});
  ASSERT_TRUE(run_until([&] {
    return !consul.knows("second-127.0.0.1-5000") &&
           consul.registration(kId).find("v4") != std::string::npos;
  }));
  EXPECT_FALSE(up.at("second"));
  EXPECT_EQ(consul.count("PUT", "/v1/agent/service/deregister/web"), 0U);
  registrar->set_desired({changed});
  run_for(200ms);
  EXPECT_EQ(consul.count("PUT", "/v1/agent/service/register"), registered + 1);
}

TEST_F(ConsulRegistrar, AnotherEtcdLeavesConsulAlone) {
  begin({web()});
  ASSERT_TRUE(settled());
  registry::EtcdOptions etcd;
  etcd.prefix = "/elsewhere";
  registrar->set_registries({consul.http.url(), ""}, etcd);
  registrar->set_desired({web()});
  run_for(200ms);
  EXPECT_TRUE(up["web"]);
  EXPECT_EQ(consul.count("PUT", "/v1/agent/service/deregister/"), 0U);
  EXPECT_EQ(consul.count("PUT", "/v1/agent/service/register"), 1U);
}

TEST_F(ConsulRegistrar, AnotherAgentGetsWhatTheFormerOneLoses) {
  FakeConsul other{io};
  begin({web()});
  ASSERT_TRUE(settled());
  registrar->set_registries({other.http.url(), ""}, {});
  registrar->set_desired({web()});
  ASSERT_TRUE(run_until([&] { return other.knows(kId) && !consul.knows(kId); }));
  ASSERT_TRUE(settled());
  consul.http.down();
  run_for(100ms);
  ASSERT_TRUE(stop(5s));
  EXPECT_FALSE(other.knows(kId));
}

TEST_F(ConsulRegistrar, AnAgentThatIsGoneDoesNotKeepTheServiceFromTheNextOne) {
  FakeConsul other{io};
  begin({web()});
  ASSERT_TRUE(settled());
  consul.http.down();
  registrar->set_registries({other.http.url(), ""}, {});
  registrar->set_desired({web()});
  EXPECT_TRUE(run_until([&] { return other.knows(kId); }, 10s));
  EXPECT_EQ(log.count("not deregistered"), 1U) << log.all();
}

TEST_F(ConsulRegistrar, AnAddressThatIsTheOneItHadIsRegisteredAfterTheFormerIsWithdrawn) {
  consul.self = FakeReply{.status = 403, .body = "Permission denied"};
  auto announcement = web();
  announcement.address.clear();
  begin({announcement});
  ASSERT_TRUE(settled());
  ASSERT_TRUE(consul.knows(kId));
  consul.requests.clear();
  consul.always = FakeReply{.status = 500, .body = "busy"};
  registrar->set_desired({web()});
  run_for(300ms);
  EXPECT_EQ(consul.count("PUT", "/v1/agent/service/register"), 0U) << "the former is still there";
  EXPECT_FALSE(up["web"]);
  consul.always.reset();
  ASSERT_TRUE(settled());
  run_for(200ms);
  EXPECT_TRUE(consul.knows(kId));
}

TEST_F(ConsulRegistrar, AServiceThatComesBackWhileTheAgentIsDownIsToldToBeDownAgain) {
  begin({web()});
  ASSERT_TRUE(settled());
  consul.http.down();
  registrar->set_desired({});
  EXPECT_FALSE(up.at("web"));
  const int told = changes["web"];
  run_for(300ms);
  EXPECT_EQ(changes["web"], told) << "not a word of what is not wanted";
  registrar->set_desired({web()});
  EXPECT_EQ(changes["web"], told + 1);
  EXPECT_FALSE(up.at("web"));
}

TEST_F(ConsulRegistrar, WithoutAnAddressTheIdHasTheAgents) {
  auto announcement = web();
  announcement.address.clear();
  begin({announcement});
  ASSERT_TRUE(settled());
  EXPECT_TRUE(consul.knows("web-10.1.2.3-5000"));
  EXPECT_EQ(consul.registration("web-10.1.2.3-5000").find("\"Address\""), std::string::npos);
}

TEST_F(ConsulRegistrar, ATokenThatMayNotReadTheAgentStillRegisters) {
  consul.self = FakeReply{.status = 403, .body = "Permission denied"};
  auto announcement = web();
  announcement.address.clear();
  begin({announcement});
  ASSERT_TRUE(settled());
  EXPECT_TRUE(consul.knows(kId)) << "the local end of the route to the agent";
}

TEST_F(ConsulRegistrar, AnnouncesTheSidecarItselfWithAWarningOnLoopback) {
  admin = Endpoint::parse("127.0.0.1:9900");
  Announcement self;
  self.key = self.name = "web-sidecar";
  self.self = true;
  begin({self});
  ASSERT_TRUE(settled("web-sidecar"));
  EXPECT_NE(consul.registration("web-sidecar-127.0.0.1-9900").find("127.0.0.1:9900/ready"),
            std::string::npos);
  EXPECT_EQ(log.count("Prometheus"), 1U);
  registrar->set_desired({self});
  EXPECT_EQ(log.count("Prometheus"), 1U) << "not again at each reload";
}

TEST_F(ConsulRegistrar, SelfWithoutAdminIsAnErrorOfThatEntryAlone) {
  Announcement self;
  self.key = self.name = "web-sidecar";
  self.self = true;
  begin({self, web()});
  EXPECT_TRUE(settled());
  EXPECT_EQ(log.count("needs the admin port"), 1U);
}

TEST_F(ConsulRegistrar, TwoEntriesOfOneIdentityAreOne) {
  auto twin = web();
  twin.key = "twin";
  begin({web(), twin});
  EXPECT_TRUE(settled());
  EXPECT_EQ(log.count("entry=twin"), 1U);
}

TEST_F(ConsulRegistrar, OneShotRegistersDeregistersAndLeavesTheSidecarOut) {
  admin = Endpoint::parse("127.0.0.1:9900");
  Announcement self;
  self.key = self.name = "web-sidecar";
  self.self = true;
  registry::RegistrarOptions options;
  options.consul.url = consul.http.url();
  options.admin = admin;
  make(options);
  registrar->set_desired({web(), self});
  EXPECT_EQ(await(registrar->register_once(Clock::now() + 2s)), true);
  EXPECT_EQ(consul.services.size(), 1U);
  EXPECT_EQ(await(registrar->register_once(Clock::now() + 2s)), true);
  EXPECT_EQ(await(registrar->deregister_once(Clock::now() + 2s)), Withdrawal::kDone);
  EXPECT_TRUE(consul.services.empty());
  EXPECT_EQ(await(registrar->deregister_once(Clock::now() + 2s)), Withdrawal::kDone)
      << "absent is withdrawn";
  consul.http.down();
  EXPECT_EQ(await(registrar->register_once(Clock::now() + 2s)), false);
  EXPECT_EQ(await(registrar->deregister_once(Clock::now() + 2s)), Withdrawal::kFailed);
  EXPECT_EQ(log.count("not registered service=web error=127.0.0.1:"), 1U) << log.all();
}

TEST_F(ConsulRegistrar, DestructionInTheMiddleOfARequestTouchesNothing) {
  consul.always = FakeReply{.delay = 200ms};
  begin({web()});
  ASSERT_TRUE(run_until([&] { return !consul.requests.empty(); }));
  registrar.reset();
  const auto lines = log.lines.size();
  run_for(500ms);
  EXPECT_EQ(log.lines.size(), lines);
}

}  // namespace
}  // namespace pilotfish::test
