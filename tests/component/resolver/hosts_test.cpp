// hosts: the A and AAAA records of a name are the instances.
#include <atomic>

#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr std::uint16_t kAaaaType = 28;

IpAddress ip(std::string_view text) {
  return IpAddress::parse(text).value();
}
std::vector<std::string> endpoints(const TierAnswer& answer) {
  std::vector<std::string> out;
  for (const auto& instance : answer.instances) {
    out.push_back(instance.endpoint.to_string());
  }
  return out;
}

class Hosts : public ResolverTest {
 protected:
  void hosts(const FakeDnsServer& server, std::vector<HostPort> names = {{"app.internal", 8080}}) {
    make(HostsSource{std::move(names), {server.endpoint()}}, {});
  }
};

DnsAction both(const DnsQuery& query) {
  auto reply = query.reply();
  reply.ttl(7);
  if (query.type == kAType) {
    reply.address(query.name, ip("10.0.0.2"));
    reply.address(query.name, ip("10.0.0.1"));
  } else {
    reply.ttl(30).address(query.name, ip("fd00::1"));
  }
  return DnsAction::send(reply.build());
}

TEST_F(Hosts, EveryAddressOfBothFamiliesIsAnInstance) {
  FakeDnsServer server(both);
  hosts(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_THAT(endpoints(answer()), ElementsAre("10.0.0.1:8080", "10.0.0.2:8080", "[fd00::1]:8080"));
  EXPECT_EQ(answer().instances.front().weight, 1U);
  EXPECT_EQ(answer().instances.front().host, "app.internal");
  EXPECT_EQ(answer().ttl, 7s) << "the lowest of all records";
  ASSERT_THAT(lookups, SizeIs(1));
  EXPECT_EQ(lookups.front().name, "app.internal");
  EXPECT_EQ(lookups.front().records, 3U);
}

TEST_F(Hosts, AConnectionWaitsForALookupOfItsOwn) {
  std::atomic<int> turn{0};
  FakeDnsServer server([&turn](const DnsQuery& query) {
    auto reply = query.reply();
    if (query.type == kAType) {
      reply.address(query.name, ip(turn == 0 ? "10.0.0.1" : "10.0.0.2"));
    }
    return DnsAction::send(reply.build());
  });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  turn = 1;
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(endpoints(answer()), ElementsAre("10.0.0.2:8080"));
}

TEST_F(Hosts, TheTimeToLiveIsHonoured) {
  FakeDnsServer server(both);
  freshness = Freshness::kTtl;
  hosts(server);
  ASSERT_TRUE(run_first_round());
  const auto before = server.count(false);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  }
  EXPECT_EQ(server.count(false), before) << "7 s are not over";
}

TEST_F(Hosts, NxdomainAndAnEmptyAnswerAreToldApartAndEmptyTheTier) {
  std::atomic<std::uint8_t> rcode{3};
  FakeDnsServer server([&rcode](const DnsQuery& query) {
    return DnsAction::send(query.reply().rcode(rcode).build());
  });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kNxdomain);
  rcode = 0;
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(answer().result, LookupResult::kEmpty);
  EXPECT_THAT(answer().instances, IsEmpty());
}

TEST_F(Hosts, WhereNeitherFamilyAnswersTheLookupHasFailedWhateverWasKnown) {
  std::atomic<bool> works{true};
  FakeDnsServer server([&works](const DnsQuery& query) {
    return works ? both(query) : DnsAction::send(query.reply().rcode(2).build());
  });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  works = false;
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  EXPECT_EQ(answer().result, LookupResult::kServfail);
}

TEST_F(Hosts, ASilentServerIsATimeout) {
  FakeDnsServer server([](const DnsQuery&) { return DnsAction::drop(); });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kTimeout);
}

TEST_F(Hosts, AFamilyThatIsSilentIsWaitedForOnce) {
  FakeDnsServer server([](const DnsQuery& query) {
    return query.type == kAaaaType ? DnsAction::drop() : both(query);
  });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_THAT(endpoints(answer()), ElementsAre("10.0.0.1:8080", "10.0.0.2:8080"));
  EXPECT_THAT(lookups.back().note, HasSubstr("AAAA was not answered"));
  (void)connect();
  const auto began = Clock::now();
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_LT(Clock::now() - began, lookup.timeout / 2);
}

TEST_F(Hosts, ACutAnswerIsAskedForOverTcp) {
  FakeDnsServer server([](const DnsQuery& query) {
    if (!query.tcp) {
      return DnsAction::send(query.reply().truncated().build());
    }
    return both(query);
  });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(3));
  EXPECT_EQ(lookups.back().transport, Transport::kTcp);
}

TEST_F(Hosts, AnAliasIsFollowed) {
  FakeDnsServer server([](const DnsQuery& query) {
    auto reply = query.reply();
    reply.cname(query.name, "lb.example");
    if (query.type == kAType) {
      reply.address("lb.example", ip("10.0.0.9"));
    }
    return DnsAction::send(reply.build());
  });
  hosts(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(endpoints(answer()), ElementsAre("10.0.0.9:8080"));
  EXPECT_EQ(answer().instances.front().host, "app.internal") << "what the configuration calls it";
}

TEST_F(Hosts, SeveralNamesAreTiersAndPortsAreTheirOwn) {
  FakeDnsServer server([](const DnsQuery& query) {
    auto reply = query.reply();
    if (query.type == kAType) {
      reply.address(query.name, ip(query.name == "a.internal" ? "10.0.0.1" : "10.0.0.2"));
    }
    return DnsAction::send(reply.build());
  });
  hosts(server, {{"a.internal", 80}, {"b.internal", 81}, {"a.internal", 82}});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(resolver->tier_count(), 3U);
  EXPECT_THAT(endpoints(answer(0)), ElementsAre("10.0.0.1:80"));
  EXPECT_THAT(endpoints(answer(1)), ElementsAre("10.0.0.2:81"));
  EXPECT_THAT(endpoints(answer(2)), ElementsAre("10.0.0.1:82"));
  EXPECT_THAT(tier_names(HostsSource{{{"a.internal", 80}, {"b.internal", 81}}, {}}),
              ElementsAre("a.internal:80", "b.internal:81"));
}

}  // namespace
}  // namespace pilotfish::resolver
