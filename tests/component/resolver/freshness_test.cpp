#include <algorithm>

#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::SizeIs;

class Fresh : public ResolverTest {
 protected:
  FakeDnsServer server{
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3), 20ms); }};
};

TEST_F(Fresh, HundredArrivalsAtOnceTakeTwoLookups) {
  consul(server);
  ASSERT_TRUE(run_first_round());
  const auto before = server.count(false);
  const auto now = Clock::now();
  int fresh = 0;
  std::vector<ServiceResolver::Ticket> tickets;
  for (int arrival = 0; arrival < 100; ++arrival) {
    tickets.push_back(resolver->arrive(0, 0, now));
  }
  for (const auto& ticket : tickets) {
    net::asio::co_spawn(io.get_executor(), resolver->wait(ticket),
                        [&fresh](std::exception_ptr, ServiceResolver::Wait wait) {
                          fresh += wait == ServiceResolver::Wait::kFresh ? 1 : 0;
                        });
  }
  ASSERT_TRUE(run_until([&fresh] { return fresh == 100; }));
  // The first one begins its own at once; the rest share the one behind it.
  EXPECT_LE(server.count(false), before + 2);
}

TEST_F(Fresh, NoArrivalIsSatisfiedByALookupThatBeganBeforeIt) {
  consul(server);
  ASSERT_TRUE(run_first_round());
  struct Arrival {
    TimePoint at;
    TimePoint asked;
    bool done = false;
  };
  std::vector<Arrival> arrivals(300);
  std::vector<ServiceResolver::Ticket> tickets(arrivals.size());
  const auto before = server.count(false);
  const auto began = Clock::now();
  for (std::size_t index = 0; index < arrivals.size(); ++index) {
    auto& arrival = arrivals[index];
    arrival.at = Clock::now();
    tickets[index] = resolver->arrive(0, 0, arrival.at);
    net::asio::co_spawn(io.get_executor(), resolver->wait(tickets[index]),
                        [this, &arrival](std::exception_ptr, ServiceResolver::Wait wait) {
                          EXPECT_EQ(wait, ServiceResolver::Wait::kFresh);
                          arrival.asked = answer().asked;
                          arrival.done = true;
                        });
    io.restart();
    io.run_for(std::chrono::microseconds(700));
  }
  ASSERT_TRUE(run_until([&] { return std::ranges::all_of(arrivals, &Arrival::done); }));
  for (const auto& arrival : arrivals) {
    EXPECT_GE(arrival.asked, arrival.at);
  }
  // Each takes 20 ms, and they follow one another.
  const auto spent = std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - began);
  const auto asked = server.count(false) - before;
  EXPECT_LE(asked, static_cast<std::size_t>(spent.count() / 20 + 2));
}

TEST_F(Fresh, AnswersAreGivenBeforeWaitersResume) {
  consul(server);
  ASSERT_TRUE(run_first_round());
  answers.clear();
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answers, SizeIs(1));
}

TEST_F(Fresh, PacesLookupsByMaxRate) {
  server.handle_with(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 1)); });
  lookup.max_rate = 50;
  consul(server);
  ASSERT_TRUE(run_first_round());
  const auto before = server.count(false);
  const auto began = Clock::now();
  while (Clock::now() - began < 400ms) {
    EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  }
  const auto asked = server.count(false) - before;
  EXPECT_LE(asked, 22U);
  EXPECT_GE(asked, 10U);
}

TEST_F(Fresh, AsksAllTiersAtStart) {
  consul(server, {{"v4"}, {"v3", "read"}, {}});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(server.count(false), 4U);
  for (std::size_t tier = 0; tier < 3; ++tier) {
    EXPECT_EQ(answer(tier).result, LookupResult::kOk);
  }
}

TEST_F(Fresh, UpstreamsOfAWorkerShareANamesLookups) {
  consul(server);
  ServiceResolver other(*dns, ConsulSource{"billing", "", {{}}}, freshness, lookup, {});
  other.start();
  ASSERT_TRUE(run_first_round());
  ASSERT_TRUE(run_until([&other] { return other.first_round_done(); }));
  EXPECT_LE(server.count(false), 2U);
  const auto before = server.count(false);
  const auto now = Clock::now();
  const auto mine = resolver->arrive(0, 0, now);
  const auto theirs = other.arrive(0, 0, now);
  ASSERT_TRUE(run_until([&] { return resolver->satisfied(mine) && other.satisfied(theirs); }));
  EXPECT_LE(server.count(false), before + 2);
}

TEST_F(Fresh, RestartsBackgroundWorkWhereOneUserLeavesAndAnotherComes) {
  consul(server);
  ASSERT_TRUE(run_first_round());
  ServiceResolver other(*dns, ConsulSource{"billing", "", {{}}}, freshness, lookup, {});
  resolver->stop();
  other.start();
  lookups.clear();
  const auto before = server.count(false);
  ASSERT_TRUE(run_until([&] { return server.count(false) > before; }));
  const auto ticket = other.arrive(0, 0, Clock::now());
  ASSERT_TRUE(run_until([&] { return other.satisfied(ticket); }));
  EXPECT_TRUE(lookups.empty());
}

TEST_F(Fresh, TtlModeAsksAgainOnlyWhenTheTtlRunsOut) {
  server.handle_with([](const DnsQuery& query) {
    return DnsAction::send(
        query.reply().ttl(1).srv(query.name, 0, 1, 80, "0a000001.addr.dc1.consul").opt().build());
  });
  freshness = Freshness::kTtl;
  consul(server);
  ASSERT_TRUE(run_first_round());
  for (int arrival = 0; arrival < 50; ++arrival) {
    EXPECT_TRUE(resolver->arrive(0, 0, Clock::now()).needs.empty());
  }
  EXPECT_EQ(server.count(false), 1U);
  // It was used, so it is refreshed ahead of its end, and no arrival ever waits.
  const auto end = Clock::now() + 1500ms;
  while (Clock::now() < end) {
    EXPECT_TRUE(resolver->arrive(0, 0, Clock::now()).needs.empty());
    io.restart();
    io.run_for(20ms);
  }
  EXPECT_GE(server.count(false), 2U);
  EXPECT_LE(server.count(false), 3U);
}

TEST_F(Fresh, WaitsForTheFirstRoundUntilADeadline) {
  server.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  lookup.timeout = 5s;
  consul(server);
  bool done = false;
  const auto before = Clock::now();
  net::asio::co_spawn(io.get_executor(), resolver->wait_first_round(before + 50ms),
                      [&done](std::exception_ptr) { done = true; });
  ASSERT_TRUE(run_until([&done] { return done; }));
  EXPECT_LT(Clock::now() - before, 2s);
  EXPECT_FALSE(resolver->first_round_done());
}

}  // namespace
}  // namespace pilotfish::resolver
