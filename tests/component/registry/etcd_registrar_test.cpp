#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_etcd.hpp"

namespace pilotfish::test {
namespace {

using registry::Announcement;
using registry::CheckKind;

constexpr const char* kKey = "/skydns/local/prom/_tcp/_web/web-dns-10-0-0-7-5000";

Announcement web_dns() {
  Announcement announcement;
  announcement.key = announcement.name = "web-dns";
  announcement.in = registry::RegisterIn::kEtcd;
  announcement.srv = "_web._tcp.prom.local";
  announcement.port = 5000;
  announcement.address = "10.0.0.7";
  announcement.lease = 1s;
  return announcement;
}

class EtcdRegistrar : public RegistryTest {
 protected:
  void prepare(std::vector<Announcement> announcements) {
    registry::RegistrarOptions options;
    options.etcd.endpoints = endpoints.empty() ? std::vector{etcd.http.url()} : endpoints;
    make(std::move(options));
    registrar->set_desired(std::move(announcements));
  }
  void begin(std::vector<Announcement> announcements) {
    prepare(std::move(announcements));
    registrar->start();
  }
  [[nodiscard]] bool settled() {
    return run_until([&] { return up["web-dns"] && etcd.records.contains(kKey); });
  }

  FakeEtcd etcd{io};
  std::vector<std::string> endpoints;
};

TEST_F(EtcdRegistrar, PutsTheRecordUnderALeaseAndKeepsItAlive) {
  begin({web_dns()});
  ASSERT_TRUE(settled());
  const auto& record = etcd.records.at(kKey);
  EXPECT_EQ(record.value, R"({"host":"10.0.0.7","port":5000,"priority":10,"weight":100})");
  EXPECT_TRUE(etcd.leases.contains(record.lease));
  EXPECT_EQ(etcd.leases.at(record.lease), 1);
  const auto began = Clock::now();
  ASSERT_TRUE(run_until([&] { return etcd.count("/v3/lease/keepalive") >= 3; }));
  const auto took = Clock::now() - began;
  EXPECT_GT(took, 600ms);
  EXPECT_LT(took, 2s);
  EXPECT_EQ(etcd.count("/v3/lease/grant"), 1U);
  EXPECT_EQ(etcd.count("/v3/kv/put"), 1U);
}

TEST_F(EtcdRegistrar, GrantsAnewWhenTheLeaseIsLost) {
  begin({web_dns()});
  ASSERT_TRUE(settled());
  const auto lost = etcd.records.at(kKey).lease;
  etcd.expire(lost);
  ASSERT_TRUE(settled());
  EXPECT_NE(etcd.records.at(kKey).lease, lost);
  EXPECT_EQ(log.count("the lease is gone"), 1U);
}

TEST_F(EtcdRegistrar, PutsARecordAgainThatSomebodyDeletedOrChanged) {
  begin({web_dns()});
  ASSERT_TRUE(settled());
  const auto ours = etcd.records.at(kKey).value;
  etcd.records.clear();
  ASSERT_TRUE(settled());
  etcd.records[kKey].value = "{}";
  EXPECT_TRUE(run_until([&] { return etcd.records[kKey].value == ours; }));
  EXPECT_EQ(etcd.count("/v3/lease/grant"), 1U);
}

TEST_F(EtcdRegistrar, WithdrawsOnStopAndRevokesTheLease) {
  begin({web_dns()});
  ASSERT_TRUE(settled());
  const auto took = stop(3s);
  ASSERT_TRUE(took);
  EXPECT_LT(*took, 1s);
  EXPECT_TRUE(etcd.records.empty());
  EXPECT_TRUE(etcd.leases.empty());
  EXPECT_FALSE(up.at("web-dns"));
}

TEST_F(EtcdRegistrar, TriesTheNextEndpointWhereTheFirstIsDeadOrSilent) {
  FakeHttp dead(io, nullptr);
  dead.down();
  endpoints = {dead.url(), etcd.http.url()};
  begin({web_dns()});
  EXPECT_TRUE(settled()) << log.all();
  EXPECT_EQ(log.count("not reachable"), 0U);
  ASSERT_TRUE(stop(3s));

  FakeHttp silent(io, [](auto&) { return FakeReply{.hang = true}; });
  FakeHttp leaderless(io, [](auto&) {
    return FakeReply{.status = 503, .body = R"({"error":"etcdserver: no leader"})"};
  });
  endpoints = {silent.url(), leaderless.url(), etcd.http.url()};
  begin({web_dns()});
  EXPECT_TRUE(settled()) << log.all();
}

TEST_F(EtcdRegistrar, WaitsForEtcdAndSaysSoOnce) {
  etcd.http.down();
  begin({web_dns()});
  run_for(700ms);
  EXPECT_EQ(log.count("etcd not reachable"), 1U) << log.all();
  etcd.http.up();
  EXPECT_TRUE(settled());
  EXPECT_EQ(log.count("etcd answers again"), 1U);
}

TEST_F(EtcdRegistrar, TellsThatEtcdIsLostAndFindsItAgain) {
  begin({web_dns()});
  ASSERT_TRUE(settled());
  etcd.http.down();
  ASSERT_TRUE(run_until([&] { return !up["web-dns"]; }));
  etcd.records.clear();
  etcd.leases.clear();
  etcd.http.up();
  EXPECT_TRUE(settled());
}

TEST_F(EtcdRegistrar, SaysWhatEtcdSaidOnceForEachError) {
  etcd.always = FakeReply{.status = 400, .body = R"({"error":"etcdserver: too many requests"})"};
  begin({web_dns()});
  run_for(600ms);
  EXPECT_EQ(log.count("too many requests"), 1U) << log.all();
  etcd.always = FakeReply{.body = "{\"ID\":"};
  ASSERT_TRUE(run_until([&] { return log.count("not understood") == 1; }));
  etcd.always.reset();
  EXPECT_TRUE(settled());
}

TEST_F(EtcdRegistrar, TheRecordFollowsItsHttpCheck) {
  unsigned status = 500;
  FakeHttp application(io, [&](auto&) { return FakeReply{.status = status}; });
  auto announcement = web_dns();
  announcement.check.kind = CheckKind::kHttp;
  announcement.check.target = application.url() + "/health";
  announcement.check.interval = 50ms;
  announcement.check.timeout = 200ms;
  begin({announcement});
  ASSERT_TRUE(run_until([&] { return log.count("check fails") == 1; }));
  EXPECT_EQ(etcd.requests.size(), 0U) << "nothing is announced before the check passes";
  status = 200;
  ASSERT_TRUE(settled());
  status = 503;
  ASSERT_TRUE(run_until([&] { return etcd.records.empty() && etcd.leases.empty(); }));
  ASSERT_TRUE(run_until([&] { return !up["web-dns"]; }));
  status = 429;
  EXPECT_TRUE(settled()) << "a warning is healthy";
}

TEST_F(EtcdRegistrar, TheRecordFollowsItsTcpCheck) {
  FakeHttp application(io, nullptr);
  auto announcement = web_dns();
  announcement.check.kind = CheckKind::kTcp;
  announcement.check.target = "127.0.0.1:" + std::to_string(application.port());
  announcement.check.interval = 50ms;
  begin({announcement});
  ASSERT_TRUE(settled());
  application.down();
  ASSERT_TRUE(run_until([&] { return etcd.records.empty(); }));
  application.up();
  EXPECT_TRUE(settled());
}

TEST_F(EtcdRegistrar, AHangingCheckDoesNotDelayTheLease) {
  bool hang = false;
  FakeHttp application(io, [&](auto&) { return FakeReply{.hang = hang}; });
  auto announcement = web_dns();
  announcement.check.kind = CheckKind::kHttp;
  announcement.check.target = application.url();
  announcement.check.interval = 50ms;
  announcement.check.timeout = 10s;
  begin({announcement});
  ASSERT_TRUE(settled());
  hang = true;
  const auto before = etcd.count("/v3/lease/keepalive");
  EXPECT_TRUE(run_until([&] { return etcd.count("/v3/lease/keepalive") >= before + 2; }, 2s));
  EXPECT_TRUE(stop(2s));
}

TEST_F(EtcdRegistrar, WithoutAnAddressItIsTheLocalEndOfTheRoute) {
  auto announcement = web_dns();
  announcement.address.clear();
  begin({announcement});
  ASSERT_TRUE(run_until([&] {
    return etcd.records.contains("/skydns/local/prom/_tcp/_web/web-dns-127-0-0-1-5000");
  })) << log.all();
  EXPECT_EQ(log.count("loopback address"), 1U);
}

TEST_F(EtcdRegistrar, ReloadChangesTheRecordInPlaceAndMovesItToAnotherLease) {
  begin({web_dns()});
  ASSERT_TRUE(settled());
  const auto old = etcd.records.at(kKey).lease;
  auto changed = web_dns();
  changed.weight = 7;
  registrar->set_desired({changed});
  ASSERT_TRUE(run_until(
      [&] { return etcd.records[kKey].value.find("\"weight\":7") != std::string::npos; }));
  EXPECT_EQ(etcd.records.at(kKey).lease, old);
  changed.lease = 60s;
  registrar->set_desired({changed});
  ASSERT_TRUE(run_until([&] { return etcd.leases.size() == 1 && !etcd.leases.contains(old); }));
  EXPECT_EQ(etcd.records.size(), 1U);
  registrar->set_desired({});
  ASSERT_TRUE(run_until([&] { return etcd.records.empty() && etcd.leases.empty(); }));
}

TEST_F(EtcdRegistrar, OneShotPutsWithoutALeaseWhateverTheCheckSaysAndDeletes) {
  auto announcement = web_dns();
  announcement.check.kind = CheckKind::kTcp;
  announcement.check.target = "127.0.0.1:1";
  prepare({announcement});
  EXPECT_EQ(await(registrar->register_once(Clock::now() + 2s)), true);
  ASSERT_TRUE(etcd.records.contains(kKey));
  EXPECT_EQ(etcd.records.at(kKey).lease, 0);
  EXPECT_TRUE(etcd.leases.empty());
  EXPECT_EQ(await(registrar->deregister_once(Clock::now() + 2s)),
            registry::Registrar::Withdrawal::kDone);
  EXPECT_TRUE(etcd.records.empty());
  EXPECT_EQ(await(registrar->deregister_once(Clock::now() + 2s)),
            registry::Registrar::Withdrawal::kDone);
  etcd.http.down();
  EXPECT_EQ(await(registrar->register_once(Clock::now() + 2s)), false);
}

}  // namespace
}  // namespace pilotfish::test
