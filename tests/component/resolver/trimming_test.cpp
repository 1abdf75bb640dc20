#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class Trimming : public ResolverTest {};

TEST_F(Trimming, FollowsTcToTcpAndRemembersIt) {
  FakeDnsServer server([](const DnsQuery& query) {
    if (query.tcp) {
      return DnsAction::send(consul_answer(query, 60));
    }
    return DnsAction::send(query.reply().truncated().opt().build());
  });
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(60));
  EXPECT_EQ(answer().names[0].transport, Transport::kTcp);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(server.count(false), 1U);
  EXPECT_EQ(server.count(true), 2U);
}

TEST_F(Trimming, AsksTcpWhereEdnsWasIgnoredAndFewRecordsCame) {
  FakeDnsServer server([](const DnsQuery& query) {
    auto plain = query;
    plain.edns_size = 0;
    return DnsAction::send(consul_answer(plain, query.tcp ? 60 : 3));
  });
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(60));
  EXPECT_THAT(answer().names[0].note, HasSubstr("looks trimmed: asked again over TCP"));
}

TEST_F(Trimming, AsksTcpWhereTheAnswerFillsTheAdvertisedSize) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(consul_answer(query, query.tcp ? 200 : 70));
  });
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(200));
}

TEST_F(Trimming, TakesASmallAnswerWithEdnsAsItIs) {
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 2)); });
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(2));
  EXPECT_EQ(server.count(true), 0U);
}

TEST_F(Trimming, KeepsAnAnswerThatOnlyLooksTrimmedWhereTcpIsRefused) {
  FakeDnsServer server(
      [](const DnsQuery& query) {
        auto plain = query;
        plain.edns_size = 0;
        return DnsAction::send(consul_answer(plain, 3));
      },
      {.tcp = false});
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_THAT(answer().instances, SizeIs(3));
  EXPECT_THAT(answer().names[0].note, HasSubstr("TCP failed"));
}

TEST_F(Trimming, UsesThePartOfATruncatedAnswerOnlyWhereNothingElseIsKnown) {
  FakeDnsServer server(
      [](const DnsQuery& query) {
        auto bytes = consul_answer(query, 3);
        bytes[2] |= 0x02U;
        return DnsAction::send(bytes);
      },
      {.tcp = false});
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_THAT(answer().instances, SizeIs(3));
  ASSERT_THAT(lookups, SizeIs(1));
  EXPECT_EQ(lookups[0].result, LookupResult::kUnreachable);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);

  server.handle_with(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 5)); });
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  server.handle_with([](const DnsQuery& query) {
    auto bytes = consul_answer(query, 3);
    bytes[2] |= 0x02U;
    return DnsAction::send(bytes);
  });
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  EXPECT_EQ(answer().result, LookupResult::kUnreachable);
}

TEST_F(Trimming, ReassemblesTcpFromSlices) {
  FakeDnsServer server([](const DnsQuery& query) {
    auto action = DnsAction::send(consul_answer(query, 40));
    if (query.tcp) {
      action.slice = 100;
      action.between = 1ms;
    } else {
      action.messages = {query.reply().truncated().opt().build()};
    }
    return action;
  });
  lookup.timeout = 1s;
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(40));
}

TEST_F(Trimming, FailsWhereTcpIsCutOrNeverComes) {
  enum class How : std::uint8_t { kClosed, kShort, kSilent, kZeroLength };
  for (const auto how : {How::kClosed, How::kShort, How::kSilent, How::kZeroLength}) {
    FakeDnsServer server([how](const DnsQuery& query) {
      if (!query.tcp) {
        return DnsAction::send(query.reply().truncated().opt().build());
      }
      auto action = DnsAction::send(Bytes{0x40, 0x00, 0x12, 0x34});
      action.raw = true;
      action.close = true;
      if (how == How::kClosed) {
        action.messages.clear();
      } else if (how == How::kSilent) {
        action.messages.clear();
        action.close = false;
      } else if (how == How::kZeroLength) {
        action.messages = {Bytes{0, 0}};
      }
      return action;
    });
    lookup.timeout = 100ms;
    const auto before = Clock::now();
    consul(server);
    ASSERT_TRUE(run_first_round());
    EXPECT_TRUE(is_failure(answer().result)) << static_cast<int>(how);
    EXPECT_LT(Clock::now() - before, 1s);
    resolver.reset();
    dns.reset();
  }
}

/// As Consul does with 1,200 instances: shortening them takes longer than anybody waits.
DnsAction only_tcp(const DnsQuery& query) {
  return query.tcp ? DnsAction::send(consul_answer(query, 200)) : DnsAction::drop();
}

TEST_F(Trimming, TheFirstLookupGoesOnToTcpWhereUdpIsSilent) {
  FakeDnsServer server(only_tcp);
  lookup.timeout = 100ms;
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(200));
  const auto asked = server.count(false);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(server.count(false), asked);
}

TEST_F(Trimming, GoesToTcpNextWhereUdpNeverAnsweredInTime) {
  FakeDnsServer server([](const DnsQuery&) { return DnsAction::drop(); });
  lookup.timeout = 100ms;
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kTimeout);
  server.handle_with(only_tcp);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(200));
}

TEST_F(Trimming, SlowTcpFailsTheLookupRatherThanHidingInstances) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(consul_answer(query, query.tcp ? 200 : 70));
  });
  lookup.timeout = 100ms;
  consul(server);
  ASSERT_TRUE(run_first_round());
  ASSERT_THAT(answer().instances, SizeIs(200));
  server.handle_with([](const DnsQuery& query) {
    return query.tcp ? DnsAction::drop() : DnsAction::send(consul_answer(query, 70));
  });
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  ASSERT_TRUE(run_until([this] { return lookups.size() >= 2; }));
  EXPECT_EQ(answer().result, LookupResult::kTimeout);
}

TEST_F(Trimming, TcpHasTheWholeDeadline) {
  FakeDnsServer server([](const DnsQuery& query) {
    return query.tcp ? DnsAction::send(consul_answer(query, 60), 250ms)
                     : DnsAction::send(query.reply().truncated().opt().build());
  });
  lookup.timeout = 200ms;
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(60));  // within twice the timeout
}

class FakeCompleter final : public Completer {
 public:
  net::Awaitable<std::optional<InstanceList>> complete(const ConsulSource& source,
                                                       const std::vector<std::string>& tags,
                                                       TimePoint) override {
    ++calls;
    EXPECT_EQ(source.service, "billing");
    EXPECT_EQ(tags, std::vector<std::string>{"v4"});
    if (fails) {
      co_return std::nullopt;
    }
    InstanceList out;
    for (std::uint16_t index = 0; index < 1500; ++index) {
      const auto high = static_cast<std::uint8_t>(index / 250);
      const auto low = static_cast<std::uint8_t>(index % 250 + 1);
      out.push_back({{IpAddress::v4({10, 1, high, low}), 80}, 1, 1, {}});
    }
    co_return out;
  }
  int calls = 0;
  bool fails = false;
};

DnsAction thousand(const DnsQuery& query) {
  return DnsAction::send(query.tcp ? consul_answer(query, 1000)
                                   : query.reply().truncated().opt().build());
}

TEST_F(Trimming, CompletesAThousandRecordsFromTheApi) {
  FakeDnsServer server(thousand);
  FakeCompleter agent;
  completer = &agent;
  lookup.timeout = 1s;
  consul(server, {{"v4"}});
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(1500));
  EXPECT_EQ(answer().names[0].transport, Transport::kApi);
  EXPECT_EQ(answer().instances[0].tags, std::vector<std::string>{"v4"});
  agent.fails = true;
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(1000));
  EXPECT_THAT(answer().names[0].note, HasSubstr("may be incomplete"));
  EXPECT_EQ(agent.calls, 2);
}

TEST_F(Trimming, NotesAThousandRecordsOfOtherServers) {
  FakeDnsServer server(thousand);
  lookup.timeout = 1s;
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(1000));
  EXPECT_THAT(answer().names[0].note, HasSubstr("may be incomplete"));
}

}  // namespace
}  // namespace pilotfish::resolver
