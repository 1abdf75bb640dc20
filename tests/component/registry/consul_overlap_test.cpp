// What a restart, a dead application and a busy agent do to an announcement.
#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_consul.hpp"

namespace pilotfish::test {
namespace {

using registry::Announcement;
using registry::CheckKind;
using Withdrawal = registry::Registrar::Withdrawal;

constexpr const char* kId = "web-127.0.0.1-5000";

class ConsulOverlap : public RegistryTest {
 protected:
  [[nodiscard]] Announcement web() const {
    Announcement announcement;
    announcement.key = announcement.name = "web";
    announcement.port = 5000;
    announcement.address = "127.0.0.1";
    announcement.check.kind = CheckKind::kHttp;
    announcement.check.target = application.url() + "/health";
    announcement.check.interval = 50ms;
    announcement.check.timeout = 500ms;
    return announcement;
  }
  [[nodiscard]] registry::RegistrarOptions options() const {
    registry::RegistrarOptions out;
    out.consul.url = consul.http.url();
    return out;
  }
  void begin(const Announcement& announcement) {
    make(options());
    registrar->set_desired({announcement});
    registrar->start();
  }
  [[nodiscard]] bool settled() {
    return run_until([&] { return up["web"] && consul.knows(kId); });
  }
  [[nodiscard]] std::string status() const { return consul.status(kId); }
  [[nodiscard]] std::size_t registrations() const {
    return consul.count("PUT", "/v1/agent/service/register");
  }
  [[nodiscard]] std::size_t withdrawals() const {
    return consul.count("PUT", "/v1/agent/service/deregister/");
  }

  /// All that the agent was asked, for messages.
  [[nodiscard]] std::string told() const {
    std::string out;
    for (const auto& request : consul.requests) {
      out += request.method + ' ' + request.target + ' ' + request.body + '\n';
    }
    return out;
  }

  unsigned answer = 200;
  FakeHttp application{io, [this](auto&) { return FakeReply{.status = answer}; }};
  FakeConsul consul{io};
};

TEST_F(ConsulOverlap, AnApplicationThatAnswersIsRegisteredAsPassing) {
  begin(web());
  ASSERT_TRUE(settled());
  EXPECT_EQ(status(), "passing");
  consul.forget();
  ASSERT_TRUE(run_until([&] { return consul.knows(kId); }, 1500ms));
  EXPECT_EQ(status(), "passing") << "also where the agent came back empty";
}

TEST_F(ConsulOverlap, AnApplicationThatHangsIsRegisteredAsCriticalAndInTime) {
  FakeHttp silent(io, [](auto&) { return FakeReply{.hang = true}; });
  auto announcement = web();
  announcement.check.target = silent.url();
  announcement.check.timeout = 10s;
  begin(announcement);
  ASSERT_TRUE(run_until([&] { return consul.knows(kId); }, 1500ms));
  EXPECT_EQ(status(), "critical");
}

TEST_F(ConsulOverlap, ACriticalStatusDoesNotOutliveTheRestart) {
  answer = 500;
  begin(web());
  ASSERT_TRUE(settled());
  EXPECT_EQ(status(), "critical");
  registrar.reset();  // a crash
  answer = 200;
  begin(web());
  EXPECT_TRUE(run_until([&] { return status() == "passing"; }, 1500ms)) << told();
  run_for(500ms);
  EXPECT_EQ(consul.count("PUT", "/v1/agent/check/deregister/"), 1U);
}

TEST_F(ConsulOverlap, TheOlderProcessLeavesTheNewerOnesAnnouncementAlone) {
  begin(web());
  ASSERT_TRUE(settled());
  registry::Registrar newer(io, options(), log, nullptr);
  auto form = web();
  form.tags = {"v2"};
  newer.set_desired({form});
  newer.start();
  ASSERT_TRUE(run_until([&] { return registrations() == 2; }));
  run_for(1500ms);
  EXPECT_EQ(registrations(), 2U) << "they do not fight over its form";
  EXPECT_EQ(log.count("another process announces the service"), 1U) << log.all();
  EXPECT_TRUE(up["web"]);
  ASSERT_TRUE(stop(5s));
  EXPECT_EQ(withdrawals(), 0U);
  EXPECT_TRUE(consul.knows(kId));
}

TEST_F(ConsulOverlap, AStopRightAfterTheNewerOneCameLeavesItAlone) {
  begin(web());
  ASSERT_TRUE(settled());
  registry::Registrar newer(io, options(), log, nullptr);
  newer.set_desired({web()});
  newer.start();
  ASSERT_TRUE(run_until([&] { return registrations() == 2; }));
  ASSERT_TRUE(stop(5s));
  EXPECT_EQ(withdrawals(), 0U);
}

TEST_F(ConsulOverlap, TheOlderProcessAnnouncesAgainWhatTheNewerOneWithdrew) {
  begin(web());
  ASSERT_TRUE(settled());
  auto older = std::move(registrar);
  begin(web());
  ASSERT_TRUE(run_until([&] { return registrations() == 2; }));
  run_for(1200ms);
  ASSERT_TRUE(stop(5s));
  EXPECT_EQ(withdrawals(), 1U);
  EXPECT_TRUE(run_until([&] { return consul.knows(kId); }, 3s));
}

TEST_F(ConsulOverlap, WhatHasNoMarkIsOurs) {
  begin(web());
  ASSERT_TRUE(settled());
  auto& registration = consul.services[kId];
  const auto mark = registration.find("\"pilotfish-owner\":\"");
  ASSERT_NE(mark, std::string::npos);
  registration.replace(mark, std::string("\"pilotfish-owner\":\"0123456789abcdef\"").size(), "");
  run_for(1200ms);
  EXPECT_EQ(registrations(), 1U) << "a mark alone is no difference";
  ASSERT_TRUE(stop(5s));
  EXPECT_FALSE(consul.knows(kId));
}

TEST_F(ConsulOverlap, DeregisterAfterHoldsUntilTheApplicationIsBack) {
  auto announcement = web();
  announcement.check.deregister_after = 300ms;
  begin(announcement);
  ASSERT_TRUE(settled());
  answer = 500;
  ASSERT_TRUE(run_until([&] { return !consul.knows(kId); }, 2s));
  EXPECT_FALSE(up["web"]);
  const auto before = registrations();
  run_for(1500ms);
  EXPECT_EQ(registrations(), before) << "nothing brings it back";
  EXPECT_EQ(log.count("withdrawn until"), 1U) << log.all();
  answer = 200;
  ASSERT_TRUE(run_until([&] { return consul.knows(kId) && up["web"]; }, 1500ms));
  EXPECT_EQ(status(), "passing");
}

TEST_F(ConsulOverlap, DeregisterAfterCountsTheAgentsVerdictToo) {
  auto announcement = web();
  announcement.check.deregister_after = 300ms;
  begin(announcement);
  ASSERT_TRUE(settled());
  ASSERT_TRUE(run_until([&] { return consul.count("GET", "/v1/agent/health/") >= 2; }));
  consul.statuses[kId] = "critical";
  ASSERT_TRUE(run_until([&] { return withdrawals() == 1; }, 5s)) << log.all() << told();
  ASSERT_TRUE(run_until([&] { return consul.knows(kId); }, 2s));
  EXPECT_EQ(status(), "critical") << "we do not vouch for what the agent cannot reach";
}

TEST_F(ConsulOverlap, WithoutDeregisterAfterADeadApplicationStaysListed) {
  begin(web());
  ASSERT_TRUE(settled());
  ASSERT_TRUE(run_until([&] { return consul.count("GET", "/v1/agent/health/") >= 2; }));
  answer = 500;
  consul.statuses[kId] = "critical";
  run_for(1500ms);
  EXPECT_EQ(withdrawals(), 0U);
  consul.forget();
  ASSERT_TRUE(run_until([&] { return consul.knows(kId); }, 2s));
  EXPECT_EQ(status(), "critical");
}

TEST_F(ConsulOverlap, ABusyAgentIsAskedAgainWhenItSaysAndOneLineTellsOfIt) {
  consul.self = FakeReply{.status = 429,
                          .body = "Your IP is issuing too many concurrent connections",
                          .headers = {{"Retry-After", "1"}}};
  auto announcement = web();
  announcement.address.clear();
  begin(announcement);
  ASSERT_TRUE(run_until([&] { return consul.count("GET", "/v1/agent/self") == 1; }));
  run_for(900ms);
  EXPECT_EQ(consul.count("GET", "/v1/agent/self"), 1U);
  ASSERT_TRUE(run_until([&] { return consul.count("GET", "/v1/agent/self") == 2; }));
  EXPECT_EQ(log.count("429: Your IP is issuing too many"), 1U) << log.all();
  consul.self.reset();
  EXPECT_TRUE(run_until([&] { return consul.knows("web-10.1.2.3-5000"); }, 3s));
}

TEST_F(ConsulOverlap, AnAgentThatNeverTellsItsAddressGetsTheServiceAllTheSame) {
  consul.self = FakeReply{.status = 429, .body = "too many"};
  auto announcement = web();
  announcement.address.clear();
  auto patient = options();
  patient.patience = 500ms;
  make(patient);
  registrar->set_desired({announcement});
  registrar->start();
  EXPECT_TRUE(run_until([&] { return consul.knows(kId); }, 5s)) << log.all();
  EXPECT_EQ(log.count("does not tell its address"), 1U);
}

TEST_F(ConsulOverlap, ABusyAgentDoesNotLoseWhatIsRegistered) {
  begin(web());
  ASSERT_TRUE(settled());
  consul.always = FakeReply{.status = 429, .body = "too many"};
  ASSERT_TRUE(run_until([&] { return log.count("429") == 1; }, 3s)) << log.all();
  run_for(1s);
  EXPECT_EQ(log.count("429"), 1U);
  consul.always.reset();
  EXPECT_TRUE(settled());
  EXPECT_EQ(registrations(), 1U);
}

TEST_F(ConsulOverlap, DeregisterOnceSaysThatARunningSidecarUndoesIt) {
  begin(web());
  ASSERT_TRUE(settled());
  registry::Registrar once(io, options(), log, nullptr);
  once.set_desired({web()});
  EXPECT_EQ(await(once.deregister_once(Clock::now() + 2s)), Withdrawal::kReturned);
  EXPECT_EQ(log.count("consul maint -enable -service=web-127.0.0.1-5000"), 1U) << log.all();
}

TEST_F(ConsulOverlap, DeregisterOnceAfterACrashIsDone) {
  begin(web());
  ASSERT_TRUE(settled());
  registrar.reset();
  registry::Registrar once(io, options(), log, nullptr);
  once.set_desired({web()});
  const auto began = Clock::now();
  EXPECT_EQ(await(once.deregister_once(Clock::now() + 2s), 8s), Withdrawal::kDone);
  EXPECT_GE(Clock::now() - began, registry::Registrar::kLookAgain);
  EXPECT_FALSE(consul.knows(kId));
}

}  // namespace
}  // namespace pilotfish::test
