#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Endpoint at(const char* text) {
  return *Endpoint::parse(text);
}

class Lookup : public ResolverTest {};

TEST_F(Lookup, GivesInstancesWithWeightPriorityAndTag) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(query.reply()
                               .ttl(7)
                               .srv(query.name, 1, 10, 8080, "0a000001.addr.dc1.consul")
                               .srv(query.name, 2, 0, 8081, "web.node.dc1.consul")
                               .additional()
                               .address("web.node.dc1.consul", IpAddress::v4({10, 0, 0, 2}))
                               .opt()
                               .build());
  });
  consul(server, {{"v4"}});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_EQ(answer().ttl, 7s);
  EXPECT_THAT(answer().instances, ElementsAre(Instance{at("10.0.0.1:8080"), 10, 1, {"v4"}},
                                              Instance{at("10.0.0.2:8081"), 0, 2, {"v4"}}));
  const auto queries = server.queries();
  ASSERT_THAT(queries, SizeIs(1));
  EXPECT_EQ(queries[0].name, "v4.billing.service.consul");
  EXPECT_EQ(queries[0].edns_size, 4096U);
}

TEST_F(Lookup, AsksOneNamePerTagAndIntersectsThem) {
  FakeDnsServer server([](const DnsQuery& query) {
    const bool second = query.name.starts_with("read.");
    return DnsAction::send(consul_answer(query, 3, second ? 1 : 0));
  });
  consul(server, {{"v3.1", "read"}});
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(2));
  EXPECT_THAT(answer().names, SizeIs(2));
  EXPECT_EQ(answer().names[0].name, "v3.1.billing.service.consul");
  EXPECT_THAT(answer().instances[0].tags, ElementsAre("read", "v3.1"));
}

TEST_F(Lookup, NamesTheDatacenterInConsulsForm) {
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 1)); });
  make(ConsulSource{"billing", "dc2", {{"v4"}}}, server.endpoint());
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(server.queries()[0].name, "v4.billing.service.dc2.dc.consul");
}

TEST_F(Lookup, LooksUpOnlyTargetsWithoutAnAddress) {
  FakeDnsServer server([](const DnsQuery& query) {
    if (query.type == kSrvType) {
      return DnsAction::send(query.reply()
                                 .ttl(60)
                                 .srv(query.name, 0, 1, 80, "a.local")
                                 .srv(query.name, 0, 1, 80, "b.local")
                                 .additional()
                                 .address("a.local", IpAddress::v4({10, 0, 0, 1}))
                                 .opt()
                                 .build());
    }
    auto reply = query.reply();
    reply.ttl(9).cname("b.local", "c.local");
    if (query.type == kAType) {
      reply.address("c.local", IpAddress::v4({10, 0, 0, 2}));
    } else {
      reply.address("c.local", *IpAddress::parse("fd00::2"));
    }
    return DnsAction::send(reply.build());
  });
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(3));
  EXPECT_EQ(answer().instances[2].endpoint, at("[fd00::2]:80"));
  EXPECT_EQ(answer().ttl, 9s);
  for (const auto& query : server.queries()) {
    EXPECT_TRUE(query.type == kSrvType || query.name == "b.local") << query.name;
  }
  EXPECT_THAT(server.queries(), SizeIs(3));
}

TEST_F(Lookup, FollowsAnAliasThatComesAlone) {
  FakeDnsServer server([](const DnsQuery& query) {
    if (query.name == "_web._tcp.local") {
      return DnsAction::send(query.reply().cname(query.name, "real.local").opt().build());
    }
    return DnsAction::send(consul_answer(query, 2));
  });
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_THAT(answer().instances, SizeIs(2));
}

TEST_F(Lookup, EndsAnAliasChainWithoutEnd) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(query.reply().cname(query.name, "x" + query.name).opt().build());
  });
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kMalformed);
  EXPECT_LE(server.count(false), 10U);
}

TEST_F(Lookup, CountsTheTargetDotAsEmpty) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(query.reply().srv(query.name, 0, 0, 80, "").opt().build());
  });
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kEmpty);
}

TEST_F(Lookup, SkipsAndCountsPortZero) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(query.reply()
                               .srv(query.name, 0, 1, 0, "0a000001.addr.dc1.consul")
                               .srv(query.name, 0, 1, 80, "0a000002.addr.dc1.consul")
                               .opt()
                               .build());
  });
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(1));
  EXPECT_THAT(answer().names[0].note, HasSubstr("1 records without a usable port"));
}

TEST_F(Lookup, SaysWhyATagCannotBeAsked) {
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 1)); });
  consul(server, {{"not a name"}});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kMalformed);
  EXPECT_EQ(answer().names[0].note, "cannot be written as a DNS name");
  EXPECT_EQ(server.queries().size(), 0U);
}

TEST_F(Lookup, ReachesServersOverIpv6) {
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 2)); },
      {.tcp = true, .v6 = true});
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(2));
}

TEST_F(Lookup, GoesOnToTheNextServerWhereOneIsGone) {
  std::optional<FakeDnsServer> gone;
  gone.emplace([](const DnsQuery&) { return DnsAction::drop(); }, FakeDnsServer::Setup{});
  const auto nowhere = gone->endpoint();
  gone.reset();
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 2)); });
  srv({nowhere, server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
}

TEST_F(Lookup, GoesOnToTheNextServerWhereOneSaysServfail) {
  FakeDnsServer bad(
      [](const DnsQuery& query) { return DnsAction::send(query.reply().rcode(2).build()); });
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 2)); });
  srv({bad.endpoint(), server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  bad.handle_with(
      [](const DnsQuery& query) { return DnsAction::send(query.reply().rcode(2).build()); });
  server.handle_with(
      [](const DnsQuery& query) { return DnsAction::send(query.reply().rcode(5).build()); });
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  EXPECT_TRUE(is_failure(answer().result));
  EXPECT_NE(answer().result, LookupResult::kTimeout);
}

TEST_F(Lookup, RepeatsALostDatagramWithinTheDeadline) {
  std::atomic<int> seen = 0;
  FakeDnsServer server([&seen](const DnsQuery& query) {
    return seen++ == 0 ? DnsAction::drop() : DnsAction::send(consul_answer(query, 2));
  });
  lookup.timeout = 400ms;
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_EQ(server.count(false), 2U);
}

TEST_F(Lookup, AnswersForAStaticSourceAtOnce) {
  StaticSource source;
  source.instances = {{at("10.0.0.2:80"), 2, 1, {}}, {at("10.0.0.1:80"), 1, 0, {}}};
  make(source, {});
  EXPECT_TRUE(resolver->first_round_done());
  EXPECT_THAT(answers, SizeIs(1));
  EXPECT_THAT(answer().instances, SizeIs(2));
  EXPECT_EQ(answer().instances[0].endpoint, at("10.0.0.1:80"));
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
}

}  // namespace
}  // namespace pilotfish::resolver
