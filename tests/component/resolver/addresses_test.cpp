#include <algorithm>

#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

constexpr std::uint16_t kAaaaType = 28;

/// Two targets that come without addresses, as CoreDNS gives host names it does not serve.
class AddressesOfTargets : public ResolverTest {
 protected:
  static Bytes targets(const DnsQuery& query) {
    return query.reply()
        .ttl(0)
        .srv(query.name, 0, 1, 80, "a.local")
        .srv(query.name, 0, 1, 80, "b.local")
        .opt()
        .build();
  }
  static Bytes address(const DnsQuery& query) {
    const bool first = query.name == "a.local";
    const auto v4 = IpAddress::v4({10, 0, 0, static_cast<std::uint8_t>(first ? 1 : 2)});
    const auto v6 = *IpAddress::parse(first ? "fd00::1" : "fd00::2");
    return query.reply().ttl(0).address(query.name, query.type == kAType ? v4 : v6).build();
  }
  /// Answers all but one type.
  static FakeDnsServer::Handler without(std::uint16_t type) {
    return [type](const DnsQuery& query) {
      return query.type == kSrvType ? DnsAction::send(targets(query))
             : query.type == type   ? DnsAction::drop()
                                    : DnsAction::send(address(query));
    };
  }
};

TEST_F(AddressesOfTargets, AreAskedForInBothFamiliesAtOnce) {
  FakeDnsServer server([](const DnsQuery& query) {
    return query.type == kSrvType ? DnsAction::send(targets(query))
                                  : DnsAction::send(address(query), 60ms);
  });
  lookup.timeout = 1s;
  srv({server.endpoint()});
  const auto before = Clock::now();
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(4));
  EXPECT_LT(Clock::now() - before, 115ms + 60ms) << "one after the other takes 120 ms and more";
  const auto queries = server.queries();
  ASSERT_THAT(queries, SizeIs(5));
  EXPECT_LT(queries.back().at - queries[1].at, 50ms);
}

TEST_F(AddressesOfTargets, MakeNoConnectionWaitForAFamilyThatIsDropped) {
  for (const auto dropped : {kAaaaType, kAType}) {
    FakeDnsServer server(without(dropped));
    srv({server.endpoint()});
    ASSERT_TRUE(run_first_round());
    EXPECT_EQ(answer().result, LookupResult::kOk);
    EXPECT_THAT(answer().instances, SizeIs(2));
    EXPECT_THAT(answer().names[0].note, HasSubstr(dropped == kAType ? "whose A" : "whose AAAA"));
    EXPECT_LT(answer().names[0].took, lookup.timeout) << "as long as a connection waits";
    const auto before = Clock::now();
    for (int connection = 0; connection < 20; ++connection) {
      EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
      EXPECT_THAT(answer().instances, SizeIs(2));
    }
    EXPECT_LT(Clock::now() - before, 10 * lookup.timeout) << "each waited in vain";
    EXPECT_EQ(stale, 0);
    TearDown();
  }
}

TEST_F(AddressesOfTargets, ComeBackWhenTheFamilyIsAnsweredAgain) {
  FakeDnsServer server(without(kAaaaType));
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  ASSERT_THAT(answer().instances, SizeIs(2));
  server.handle_with(without(0));
  // The questions that were dropped are repeated or end first; nobody waits for either.
  EXPECT_TRUE(run_until([this] {
    (void)connect();
    return answer().instances.size() == 4;
  }));
}

TEST_F(AddressesOfTargets, StayKnownWhileOneFamilyIsNotAnswered) {
  FakeDnsServer server(without(0));
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  ASSERT_THAT(answer().instances, SizeIs(4));
  server.handle_with(without(kAaaaType));
  for (int connection = 0; connection < 3; ++connection) {
    (void)connect();
    EXPECT_THAT(answer().instances, SizeIs(4));
  }
}

TEST_F(AddressesOfTargets, OfManyComeThoughOneFamilyIsDropped) {
  constexpr std::size_t kTargets = 50;  // more than are asked at a time
  FakeDnsServer server([](const DnsQuery& query) {
    if (query.type == kAaaaType) {
      return DnsAction::drop();
    }
    auto reply = query.reply();
    if (query.type == kAType) {
      const auto number = static_cast<std::uint8_t>(std::stoi(query.name.substr(1)));
      return DnsAction::send(reply.address(query.name, IpAddress::v4({10, 0, 0, number})).build());
    }
    for (std::size_t index = 0; index < kTargets; ++index) {
      reply.srv(query.name, 0, 1, 80, "t" + std::to_string(index) + ".x");
    }
    return DnsAction::send(reply.opt().build());
  });
  lookup.timeout = 400ms;
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(kTargets));
}

}  // namespace
}  // namespace pilotfish::resolver
