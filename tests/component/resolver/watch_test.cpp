#include "resolver/watch.hpp"

#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::SizeIs;

InstanceList instances(std::size_t count, std::vector<std::string> tags = {}) {
  InstanceList out;
  for (std::size_t i = 0; i < count; ++i) {
    // As consul_answer() has them.
    out.push_back(
        {{IpAddress::v4({10, 9, 0, static_cast<std::uint8_t>(i + 1)}), 8000}, 1, 1, tags});
  }
  return out;
}

/// A ServiceResolver with `fresh: watch` beside a DNS server that knows 3 instances of any name.
class Watch : public ResolverTest {
 protected:
  Watch() { freshness = Freshness::kWatch; }
  WatchStatePtr up(InstanceList list) {
    auto state = std::make_shared<WatchState>();
    state->up = true;
    state->instances = std::make_shared<const InstanceList>(std::move(list));
    state->asked = state->answered = Clock::now();
    return state;
  }
  WatchStatePtr same(const WatchStatePtr& before) {
    auto state = std::make_shared<WatchState>(*before);
    state->asked = state->answered = Clock::now();
    return state;
  }
  WatchStatePtr down() {
    auto state = std::make_shared<WatchState>();
    state->failure = LookupResult::kUnreachable;
    state->problem = "connection refused";
    return state;
  }
  void push(const WatchStatePtr& state) { dns->push({"billing", ""}, state); }
  /// Lets what is in flight end; true where nobody asks the server from then on.
  bool quiet() {
    run_until([] { return false; }, 100ms);
    const auto before = server.count(false);
    run_until([] { return false; }, 300ms);
    return server.count(false) == before;
  }

  FakeDnsServer server{
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); }};
};

TEST_F(Watch, StartsOverDnsWhereNothingWasPushedYet) {
  consul(server);
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer().instances, SizeIs(3));
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
}

TEST_F(Watch, TheFirstRoundIsDoneWhenTheWatchAnswersThoughDnsIsSilent) {
  server.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  consul(server);
  EXPECT_FALSE(resolver->first_round_done());
  bool done = false;
  net::asio::co_spawn(io.get_executor(), resolver->wait_first_round(Clock::now() + 5s),
                      [&done](std::exception_ptr) { done = true; });
  io.restart();
  io.run_for(20ms);
  EXPECT_FALSE(done);
  push(up(instances(2)));
  EXPECT_TRUE(resolver->first_round_done());
  EXPECT_TRUE(run_until([&done] { return done; }, 1s));
}

TEST_F(Watch, NothingIsLookedUpOrWaitedForWhileItIsUp) {
  consul(server, {{"v4"}, {}});
  ASSERT_TRUE(run_first_round());
  push(up(instances(4, {"v4"})));
  ASSERT_TRUE(quiet());
  const auto before = server.count(false);
  for (int i = 0; i < 100; ++i) {
    const auto ticket = resolver->arrive(0, 1, Clock::now());
    EXPECT_TRUE(ticket.needs.empty());
    EXPECT_TRUE(resolver->satisfied(ticket));
  }
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_TRUE(quiet());
  EXPECT_EQ(server.count(false), before);
  EXPECT_EQ(resolver->last_lookup_started(), TimePoint::max());
  EXPECT_EQ(stale, 0);
}

TEST_F(Watch, TiersAreAnsweredFromOnePushByTheirTags) {
  consul(server, {{"v4"}, {"v3", "read"}, {}});
  auto list = instances(4);
  list[0].tags = {"v4"};
  list[1].tags = {"V3", "read"};
  list[2].tags = {"v3"};
  push(up(list));
  EXPECT_THAT(answer(0).instances, SizeIs(1));
  EXPECT_THAT(answer(1).instances, SizeIs(1));
  EXPECT_EQ(answer(1).instances.front().tags, (std::vector<std::string>{"read", "v3"}));
  EXPECT_THAT(answer(2).instances, SizeIs(4));
  EXPECT_EQ(answer(0).names.front().transport, Transport::kWatch);
}

TEST_F(Watch, AnUnchangedPushRenewsTheTimesAlone) {
  consul(server);
  const auto first = up(instances(3));
  push(first);
  const auto* const kept = answer().instances.data();
  const auto later = same(first);
  push(later);
  EXPECT_EQ(answer().instances.data(), kept);
  EXPECT_EQ(answer().asked, later->asked);
}

TEST_F(Watch, AnEmptyPushIsAnEmptyAnswer) {
  consul(server);
  push(up({}));
  EXPECT_EQ(answer().result, LookupResult::kEmpty);
}

TEST_F(Watch, DnsTakesOverWhenItFailsAndHandsBackWhenItIsBack) {
  consul(server);
  push(up(instances(2)));
  ASSERT_TRUE(quiet());
  EXPECT_THAT(answer().instances, SizeIs(2));

  lookups.clear();
  push(down());
  ASSERT_FALSE(lookups.empty());
  EXPECT_EQ(lookups.front().result, LookupResult::kUnreachable);
  EXPECT_THAT(answer().instances, SizeIs(2)) << "until DNS has answered";
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(3));
  EXPECT_NE(answer().names.front().transport, Transport::kWatch);
  EXPECT_EQ(answer().names.front().note, "instead of the watch: connection refused");
  const auto ticket = resolver->arrive(0, 0, Clock::now());
  EXPECT_FALSE(ticket.needs.empty());
  EXPECT_LT(resolver->last_lookup_started(), TimePoint::max());

  push(up(instances(5)));
  EXPECT_THAT(answer().instances, SizeIs(5));
  EXPECT_EQ(answer().names.front().note, "");
  EXPECT_TRUE(quiet());
  EXPECT_EQ(stale, 0);
}

TEST_F(Watch, AServiceThatIsLeftToDnsIsLookedUpAndNothingHasFailed) {
  consul(server);
  push(up(instances(2)));
  ASSERT_TRUE(quiet());
  lookups.clear();
  auto left = std::make_shared<WatchState>();
  left->left_to_dns = true;
  left->problem = "one process watches 100 services at most";
  push(left);
  EXPECT_TRUE(lookups.empty()) << "no failed lookup";
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(3));
  EXPECT_EQ(answer().names.front().note,
            "instead of the watch: one process watches 100 services at most");
}

TEST_F(Watch, WhoWaitsForDnsIsServedByTheWatchThatComesBack) {
  consul(server);
  push(up(instances(2)));
  server.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  lookup.timeout = 5s;
  push(down());
  const auto ticket = resolver->arrive(0, 0, Clock::now());
  std::optional<ServiceResolver::Wait> wait;
  net::asio::co_spawn(io.get_executor(), resolver->wait(ticket),
                      [&wait](std::exception_ptr, ServiceResolver::Wait how) { wait = how; });
  io.restart();
  io.run_for(30ms);
  EXPECT_FALSE(wait);
  push(up(instances(4)));
  ASSERT_TRUE(run_until([&wait] { return wait.has_value(); }, 1s));
  EXPECT_EQ(*wait, ServiceResolver::Wait::kFresh);
}

TEST_F(Watch, WhereDnsFailsTooTheLastAnswerServesAndCountsAsStale) {
  consul(server);
  push(up(instances(2)));
  server.handle_with([](const DnsQuery&) { return DnsAction::drop(); });
  push(down());
  EXPECT_EQ(connect(), ServiceResolver::Wait::kStale);
  EXPECT_EQ(stale, 1);
}

TEST_F(Watch, AnAnswerOfDnsFromBeforeTheWatchIsNotMixedWithNewOnes) {
  // Two names make this tier. During the outage one of them answers sooner than the other, whose
  // former answer is from before the watch.
  consul(server, {{"v3", "read"}});
  ASSERT_TRUE(run_first_round());
  push(up(instances(4, {"v3", "read"})));
  ASSERT_TRUE(quiet());
  server.handle_with([](const DnsQuery& query) {
    return query.name.starts_with("read.") ? DnsAction::drop()
                                           : DnsAction::send(consul_answer(query, 2, 10));
  });
  answers.clear();
  push(down());
  ASSERT_TRUE(run_until([this] { return !answers.empty(); }));
  EXPECT_TRUE(is_failure(answers.front().second.result))
      << "an intersection with an old answer would be empty: a certain answer that is wrong";
}

TEST_F(Watch, AResolverThatComesLaterHasTheStateAtOnce) {
  consul(server);
  push(up(instances(2)));
  ServiceResolver late(*dns, ConsulSource{"billing", "", {{}}}, freshness, lookup, {});
  late.start();
  EXPECT_TRUE(late.first_round_done());
  EXPECT_THAT(late.last_answers().front().instances, SizeIs(2));
  late.stop();
  push(up(instances(3)));
  EXPECT_THAT(late.last_answers().front().instances, SizeIs(2)) << "stopped";
}

TEST_F(Watch, AServiceWatchedNoMoreIsLookedUp) {
  consul(server);
  push(up(instances(2)));
  push(nullptr);
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(3));
}

TEST_F(Watch, OtherFreshnessDoesNotListen) {
  freshness = Freshness::kConnection;
  consul(server);
  ASSERT_TRUE(run_first_round());
  push(up(instances(1)));
  EXPECT_THAT(answer().instances, SizeIs(3));
}

ConsulTier without_canary() {
  ConsulTier tier;
  tier.without = {"canary"};
  return tier;
}

/// A watch beside tiers that DNS cannot tell.
class PickyWatch : public Watch {
 protected:
  /// Of tier 1, `any`; so DNS has said all that it will say of tier 0, whose name is the same.
  bool dns_has_answered() {
    return run_until([this] {
      return std::ranges::any_of(answers, [](const auto& one) { return one.first == 1; });
    });
  }
  bool tier0_answered() {
    return std::ranges::any_of(answers, [](const auto& one) { return one.first == 0; });
  }
  static InstanceList four_with_a_canary() {
    auto list = instances(4);
    list[1].tags = {"Canary"};
    return list;
  }
};

TEST_F(PickyWatch, ATierThatDnsCannotTellIsWaitedForUntilTheWatchSpeaks) {
  lookup.timeout = 5s;
  consul(server, {without_canary(), {}});
  ASSERT_TRUE(dns_has_answered());
  EXPECT_FALSE(tier0_answered()) << "nothing failed: nobody knows yet";
  EXPECT_FALSE(resolver->first_round_done());
  const auto ticket = resolver->arrive(0, 1, Clock::now());
  ASSERT_TRUE(quiet());
  EXPECT_FALSE(resolver->satisfied(ticket));
  std::optional<ServiceResolver::Wait> wait;
  net::asio::co_spawn(io.get_executor(), resolver->wait(ticket),
                      [&wait](std::exception_ptr, ServiceResolver::Wait how) { wait = how; });
  io.restart();
  io.run_for(20ms);
  EXPECT_FALSE(wait);
  push(up(four_with_a_canary()));
  EXPECT_TRUE(resolver->first_round_done());
  ASSERT_TRUE(run_until([&wait] { return wait.has_value(); }, 1s));
  EXPECT_EQ(*wait, ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer(0).instances, SizeIs(3));
  EXPECT_THAT(answer(1).instances, SizeIs(4));
}

TEST_F(PickyWatch, AWatchThatFailedHasSpokenToo) {
  lookup.timeout = 5s;
  consul(server, {without_canary(), {}});
  ASSERT_TRUE(dns_has_answered());
  const auto ticket = resolver->arrive(0, 1, Clock::now());
  ASSERT_TRUE(quiet());
  bool first_round = false;
  net::asio::co_spawn(io.get_executor(), resolver->wait_first_round(Clock::now() + 5s),
                      [&first_round](std::exception_ptr) { first_round = true; });
  std::optional<ServiceResolver::Wait> wait;
  net::asio::co_spawn(io.get_executor(), resolver->wait(ticket),
                      [&wait](std::exception_ptr, ServiceResolver::Wait how) { wait = how; });
  io.restart();
  io.run_for(20ms);
  EXPECT_FALSE(first_round);
  EXPECT_FALSE(wait);
  push(down());
  ASSERT_TRUE(run_until([&] { return wait.has_value() && first_round; }, 1s));
  ASSERT_TRUE(tier0_answered()) << "what DNS had said counts now";
  EXPECT_EQ(answer(0).result, LookupResult::kServfail);
  EXPECT_EQ(answer(0).names.front().note,
            "DNS cannot tell not and meta, and the API has not said yet who fits; "
            "instead of the watch: connection refused");
  EXPECT_THAT(answer(1).instances, SizeIs(3)) << "any is what DNS says";
}

TEST_F(PickyWatch, IsWaitedForUntilTheDeadlineAtMost) {
  lookup.timeout = 100ms;
  consul(server, {without_canary(), {}});
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kStale);
  EXPECT_FALSE(tier0_answered());
}

TEST_F(PickyWatch, WhileItIsDownOnlyThoseStayWhoFittedLast) {
  consul(server, {without_canary(), {}});
  push(up(four_with_a_canary()));
  ASSERT_TRUE(quiet());
  push(down());
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  ASSERT_THAT(answer(0).instances, SizeIs(2)) << "DNS has the first three";
  EXPECT_EQ(answer(0).instances[0].endpoint.address, IpAddress::v4({10, 9, 0, 1}));
  EXPECT_EQ(answer(0).instances[1].endpoint.address, IpAddress::v4({10, 9, 0, 3}));
  EXPECT_THAT(answer(1).instances, SizeIs(3));
  server.handle_with(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3, 10)); });
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(answer(0).result, LookupResult::kEmpty) << "none of these is known to fit";
  EXPECT_THAT(answer(1).instances, SizeIs(3));
}

/// Two datacenters, a watch each.
class TwoWatches : public Watch {
 protected:
  void begin() {
    ConsulTier far;
    far.datacenter = "dc2";
    consul(server, {{}, far});
  }
  void push_far(const WatchStatePtr& state) { dns->push({"billing", "dc2"}, state); }
  static DnsAction deny_far(const DnsQuery& query) {
    const bool far = query.name.find(".dc2.") != std::string::npos;
    return DnsAction::send(far ? query.reply().rcode(3).opt().build() : consul_answer(query, 3));
  }
  static WatchStatePtr left() {
    auto state = std::make_shared<WatchState>();
    state->left_to_dns = true;
    state->problem = "host names";
    return state;
  }
};

TEST_F(TwoWatches, WhereOneIsDownDnsAnswersItsTiersAlone) {
  begin();
  push(up(instances(5)));
  push_far(up(instances(6)));
  ASSERT_TRUE(quiet());
  EXPECT_EQ(resolver->last_lookup_started(), TimePoint::max());
  push_far(down());
  EXPECT_TRUE(resolver->arrive(0, 0, Clock::now()).needs.empty());
  EXPECT_FALSE(resolver->arrive(1, 1, Clock::now()).needs.empty());
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer(0).instances, SizeIs(5));
  EXPECT_EQ(answer(0).names.front().transport, Transport::kWatch);
  EXPECT_EQ(answer(0).names.front().note, "");
  EXPECT_THAT(answer(1).instances, SizeIs(3));
  EXPECT_EQ(answer(1).names.front().note, "instead of the watch: connection refused");
  push_far(up(instances(6)));
  EXPECT_THAT(answer(1).instances, SizeIs(6));
  EXPECT_TRUE(quiet());
}

TEST_F(TwoWatches, OneIsLeftToDnsWhileTheOtherWatches) {
  begin();
  push(up(instances(5)));
  push_far(left());
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer(0).instances, SizeIs(5));
  EXPECT_THAT(answer(1).instances, SizeIs(3));
  EXPECT_TRUE(resolver->first_round_done());
}

TEST_F(TwoWatches, ADenialIsDoubtedWhereItsOwnWatchIsDownAndBelievedWhereItIsLeftToDns) {
  begin();
  push(up(instances(5)));
  push_far(up(instances(6)));
  ASSERT_TRUE(quiet());
  server.handle_with(deny_far);
  push_far(down());
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(answer(1).result, LookupResult::kUnreachable);
  EXPECT_NE(answer(1).names.front().note.find("what it knew stays"), std::string::npos);
  EXPECT_EQ(answer(0).result, LookupResult::kOk);
  push_far(left());
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_EQ(answer(1).result, LookupResult::kNxdomain);
}

}  // namespace
}  // namespace pilotfish::resolver
