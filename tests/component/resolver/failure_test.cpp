#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::SizeIs;

class Failure : public ResolverTest {
 protected:
  /// The first round's answer is good; then `handler` answers one more connection.
  LookupResult second_answer(FakeDnsServer& server, FakeDnsServer::Handler handler) {
    lookup.timeout = 150ms;
    srv({server.endpoint()});
    EXPECT_TRUE(run_first_round());
    EXPECT_EQ(answer().result, LookupResult::kOk);
    server.handle_with(std::move(handler));
    waited = connect();
    const auto done = lookups.size();
    if (done < 2) {  // the connection's deadline and the lookup's are the same instant
      run_until([this] { return lookups.size() >= 2; });
    }
    return answer().result;
  }

  FakeDnsServer good{
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); }};
  std::optional<ServiceResolver::Wait> waited;
};

TEST_F(Failure, TellsNxdomainFromEmptyFromServfailFromRefused) {
  struct Case {
    std::uint8_t rcode;
    LookupResult result;
  };
  for (const auto& one : {Case{3, LookupResult::kNxdomain}, Case{0, LookupResult::kEmpty},
                          Case{2, LookupResult::kServfail}, Case{4, LookupResult::kServfail},
                          Case{5, LookupResult::kRefused}}) {
    FakeDnsServer server(
        [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); });
    EXPECT_EQ(second_answer(server,
                            [&one](const DnsQuery& query) {
                              return DnsAction::send(query.reply().rcode(one.rcode).opt().build());
                            }),
              one.result);
    const bool failed = is_failure(one.result);
    EXPECT_EQ(waited, failed ? ServiceResolver::Wait::kStale : ServiceResolver::Wait::kFresh);
    EXPECT_EQ(stale, failed ? 1 : 0);
    EXPECT_EQ(server.count(true), 0U);
    resolver.reset();
    dns.reset();
    stale = 0;
    lookups.clear();
  }
}

TEST_F(Failure, CountsABadExtendedCodeAsServfail) {
  EXPECT_EQ(second_answer(good,
                          [](const DnsQuery& query) {
                            return DnsAction::send(query.reply().opt(4096, 1).build());
                          }),
            LookupResult::kServfail);
}

TEST_F(Failure, TimesOutWhereNothingComes) {
  EXPECT_EQ(second_answer(good, [](const DnsQuery&) { return DnsAction::drop(); }),
            LookupResult::kTimeout);
  EXPECT_EQ(stale, 1);
}

TEST_F(Failure, SaysUnreachableAtOnceWhereThePortIsClosed) {
  std::optional<FakeDnsServer> gone;
  gone.emplace([](const DnsQuery&) { return DnsAction::drop(); }, FakeDnsServer::Setup{});
  const auto nowhere = gone->endpoint();
  gone.reset();
  lookup.timeout = 2s;
  srv({nowhere});
  const auto before = Clock::now();
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kUnreachable);
  EXPECT_LT(Clock::now() - before, 1s);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  EXPECT_EQ(stale, 0);  // nothing good was ever known
}

/// Each wrong message is followed by the right one, which is still waited for.
TEST_F(Failure, WaitsForTheRightAnswerBehindForgeries) {
  using Forge = std::function<Bytes(const DnsQuery&)>;
  const std::vector<std::pair<std::string, Forge>> forgeries{
      {"empty datagram", [](const DnsQuery&) { return Bytes{}; }},
      {"one byte", [](const DnsQuery&) { return Bytes{0x42}; }},
      {"wrong id",
       [](const DnsQuery& query) {
         auto bytes = consul_answer(query, 9);
         bytes[0] ^= 0xffU;
         return bytes;
       }},
      {"QR 0",
       [](const DnsQuery& query) {
         auto bytes = consul_answer(query, 9);
         bytes[2] &= 0x7fU;
         return bytes;
       }},
      {"opcode",
       [](const DnsQuery& query) {
         auto bytes = consul_answer(query, 9);
         bytes[2] |= 0x10U;
         return bytes;
       }},
      {"no question",
       [](const DnsQuery& query) {
         auto bytes = consul_answer(query, 9);
         bytes[5] = 0;
         return bytes;
       }},
      {"other question",
       [](const DnsQuery& query) {
         auto other = query;
         other.name = "evil.local";
         return consul_answer(other, 9);
       }},
      {"other owner",
       [](const DnsQuery& query) {
         return query.reply().srv("evil.local", 0, 1, 80, "x.local").opt().build();
       }},
      {"cut",
       [](const DnsQuery& query) {
         auto bytes = consul_answer(query, 9);
         bytes.resize(bytes.size() - 5);
         return bytes;
       }},
  };
  for (const auto& [what, forge] : forgeries) {
    SCOPED_TRACE(what);
    FakeDnsServer server(
        [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); });
    EXPECT_EQ(second_answer(server,
                            [&forge](const DnsQuery& query) {
                              DnsAction action;
                              action.messages = {forge(query), consul_answer(query, 4)};
                              action.between = 10ms;
                              return action;
                            }),
              LookupResult::kOk);
    EXPECT_THAT(answer().instances, SizeIs(4));
    EXPECT_EQ(waited, ServiceResolver::Wait::kFresh);
    EXPECT_EQ(server.count(false), 2U);
    resolver.reset();
    dns.reset();
    lookups.clear();
  }
}

TEST_F(Failure, CallsOnlyGarbageMalformed) {
  EXPECT_EQ(second_answer(good,
                          [](const DnsQuery& query) {
                            auto bytes = consul_answer(query, 2);
                            bytes.resize(40);
                            return DnsAction::send(bytes);
                          }),
            LookupResult::kMalformed);
}

TEST_F(Failure, SurvivesAStormOfGarbage) {
  EXPECT_EQ(second_answer(good,
                          [](const DnsQuery& query) {
                            DnsAction action;
                            for (std::size_t index = 0; index < 150; ++index) {
                              action.messages.emplace_back(index % 40, std::uint8_t{0xc0});
                            }
                            action.messages.push_back(consul_answer(query, 5));
                            return action;
                          }),
            LookupResult::kOk);
  EXPECT_THAT(answer().instances, SizeIs(5));
}

TEST_F(Failure, NoLongerWaitsAfterThreeTimeoutsAndRecoversByProbing) {
  lookup.timeout = 60ms;
  srv({good.endpoint()});
  ASSERT_TRUE(run_first_round());
  good.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  for (int arrival = 0; arrival < 3; ++arrival) {
    EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
    run_until([&] { return lookups.size() >= static_cast<std::size_t>(arrival) + 2; });
  }
  ASSERT_THAT(lookups, SizeIs(4));
  const auto asked = good.count(false);
  const auto before = Clock::now();
  for (int arrival = 0; arrival < 50; ++arrival) {
    const auto ticket = resolver->arrive(0, 0, Clock::now());
    EXPECT_FALSE(resolver->satisfied(ticket));  // not fresh, and wait() says so at once
    EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  }
  EXPECT_LT(Clock::now() - before, 500ms);
  EXPECT_LE(good.count(false), asked + 2);
  EXPECT_EQ(stale, 53);
  good.handle_with([](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 2)); });
  const auto mended = Clock::now();
  ASSERT_TRUE(run_until([this] { return answer().result == LookupResult::kOk; }));
  EXPECT_LT(Clock::now() - mended, 2s);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
}

TEST_F(Failure, ComesBackWithTheSamePortAfterARefusal) {
  EXPECT_EQ(second_answer(good,
                          [](const DnsQuery& query) {
                            return DnsAction::send(query.reply().rcode(5).build());
                          }),
            LookupResult::kRefused);
  good.handle_with([](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 1)); });
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(answer().instances.at(0).endpoint.port, 8000);
}

TEST_F(Failure, ServerWithoutEdnsIsAskedAgainWithoutIt) {
  FakeDnsServer server([](const DnsQuery& query) {
    if (query.edns_size != 0) {
      return DnsAction::send(query.reply().rcode(1).build());
    }
    return DnsAction::send(consul_answer(query, 20));
  });
  srv({server.endpoint()});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer().result, LookupResult::kOk);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  const auto queries = server.queries();
  // 20 records are more than plain DNS carries, so both lookups end on TCP.
  ASSERT_THAT(queries, SizeIs(5));
  EXPECT_EQ(queries[2].edns_size, 4096U);  // EDNS is tried anew on a new channel
}

TEST_F(Failure, StopsWhileQuestionsAreInFlight) {
  lookup.timeout = 300ms;
  srv({good.endpoint()});
  ASSERT_TRUE(run_first_round());
  good.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  const auto ticket = resolver->arrive(0, 0, Clock::now());
  std::optional<ServiceResolver::Wait> out;
  net::asio::co_spawn(io.get_executor(), resolver->wait(ticket),
                      [&out](std::exception_ptr, ServiceResolver::Wait wait) { out = wait; });
  ASSERT_TRUE(run_until([this] { return good.count(false) >= 2; }));
  EXPECT_FALSE(out.has_value());
  const auto before = Clock::now();
  resolver->stop();
  ASSERT_TRUE(run_until([&out] { return out.has_value(); }));
  EXPECT_LT(Clock::now() - before, 200ms);
  EXPECT_EQ(*out, ServiceResolver::Wait::kStale);
  resolver.reset();
  dns.reset();  // ends what c-ares still holds
  io.restart();
  io.run();  // and nothing is left that would keep the loop
}

TEST_F(Failure, DestroysTheLoopWithQuestionsInFlight) {
  auto own = std::make_unique<net::IoContext>(1);
  good.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  {
    DnsService service(*own, ConsulDns{good.endpoint(), "consul"}, 1, logger, nullptr, 1);
    ServiceResolver one(service, ConsulSource{"billing", "", {{}}}, freshness, lookup, {});
    one.start();
    const auto ticket = one.arrive(0, 0, Clock::now());
    net::asio::co_spawn(own->get_executor(), one.wait(ticket), net::asio::detached);
    own->run_for(20ms);
  }
  own.reset();
}

}  // namespace
}  // namespace pilotfish::resolver
