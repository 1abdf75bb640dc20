#include "resolver/absence.hpp"

#include "net/notifier.hpp"
#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::HasSubstr;
using testing::SizeIs;
using Kind = AbsenceVerdict::Kind;

/// The agent's API, as a test wants it.
class FakeAgent final : public Completer {
 public:
  explicit FakeAgent(net::Executor executor) : waiting(executor) {}

  net::Awaitable<std::optional<InstanceList>> complete(const ConsulSource&,
                                                       const std::vector<std::string>&,
                                                       TimePoint) override {
    co_return std::nullopt;
  }
  net::Awaitable<AbsenceVerdict> confirm_absence(const ConsulSource& source,
                                                 const std::vector<std::string>& tags,
                                                 TimePoint deadline) override {
    asked.push_back(source.service + (tags.empty() ? "" : "/" + tags.front()));
    if (slow) {
      (void)co_await waiting.wait_until(deadline);
    }
    co_return verdict;
  }

  AbsenceVerdict verdict;
  bool slow = false;
  std::vector<std::string> asked;
  net::Notifier waiting;
};

InstanceList some(std::size_t count) {
  InstanceList out;
  for (std::size_t i = 0; i < count; ++i) {
    out.push_back({{IpAddress::v4({10, 7, 0, static_cast<std::uint8_t>(i + 1)}), 80}, 1, 1, {}});
  }
  return out;
}

/// A tier v4 with three instances, of which DNS says NXDOMAIN from vanish() on; v3 stays.
class Absence : public ResolverTest {
 protected:
  Absence() { completer = &agent; }

  void vanish() {
    server.handle_with([](const DnsQuery& query) {
      return DnsAction::send(query.name.starts_with("v4.") ? query.reply().rcode(3).opt().build()
                                                           : consul_answer(query, 3));
    });
  }
  void come_back() {
    server.handle_with(
        [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); });
  }
  void start() {
    consul(server, {{"v4"}, {"v3"}});
    ASSERT_TRUE(run_first_round());
    ASSERT_THAT(answer(0).instances, SizeIs(3));
  }
  static WatchStatePtr watch(bool up, LookupResult failure = LookupResult::kRefused) {
    auto state = std::make_shared<WatchState>();
    state->up = up;
    auto list = some(2);
    for (auto& one : list) {
      one.tags = {"v4"};
    }
    state->instances = up ? std::make_shared<const InstanceList>(std::move(list)) : nullptr;
    state->asked = state->answered = Clock::now();
    state->failure = failure;
    state->problem = up ? "" : "the agent answered 403";
    return state;
  }
  void push(const WatchStatePtr& state) { dns->push({"billing", ""}, state); }
  void start_watched() {
    freshness = Freshness::kWatch;
    vanish();
    consul(server, {{"v4"}, {"v3"}});
    push(watch(true));
    ASSERT_THAT(answer(0).instances, SizeIs(2));
  }

  FakeAgent agent{io.get_executor()};
  FakeDnsServer server{
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); }};
};

TEST_F(Absence, ThatTheApiConfirmsIsBelievedAtOnceAndAskedOnce) {
  start();
  vanish();
  agent.verdict.kind = Kind::kAbsent;
  for (int connection = 0; connection < 20; ++connection) {
    EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
    EXPECT_EQ(answer(0).result, LookupResult::kNxdomain);
  }
  EXPECT_EQ(agent.asked, std::vector<std::string>{"billing/v4"});
  come_back();
  (void)connect(1);
  EXPECT_THAT(answer(0).instances, SizeIs(3));
  vanish();
  (void)connect(1);
  EXPECT_THAT(agent.asked, SizeIs(2));
}

TEST_F(Absence, OfWhatWasNeverThereAsksNobody) {
  vanish();
  consul(server, {{"v4"}, {"v3"}});
  ASSERT_TRUE(run_first_round());
  EXPECT_EQ(answer(0).result, LookupResult::kNxdomain);
  EXPECT_THAT(agent.asked, SizeIs(0));
}

TEST_F(Absence, ThatTheApiDeniesIsNotBelievedAndItsInstancesServe) {
  start();
  vanish();
  agent.verdict.kind = Kind::kPresent;
  agent.verdict.instances = some(7);
  agent.verdict.why = "the agent's API has 7 passing instances";
  for (int connection = 0; connection < 20; ++connection) {
    EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
    EXPECT_EQ(answer(0).result, LookupResult::kOk);
    EXPECT_THAT(answer(0).instances, SizeIs(7));
  }
  EXPECT_EQ(answer(0).names[0].transport, Transport::kApi);
  EXPECT_EQ(answer(0).instances[0].tags, std::vector<std::string>{"v4"});
  EXPECT_THAT(answer(0).names[0].note,
              HasSubstr("DNS says nxdomain, not believed: the agent's API has 7"));
  EXPECT_THAT(agent.asked, SizeIs(1)) << "not for every lookup";

  agent.verdict.kind = Kind::kAbsent;  // gone meanwhile: noticed beside the lookups
  EXPECT_TRUE(run_until([this] {
    (void)connect(1);
    return answer(0).result == LookupResult::kNxdomain;
  }));
  EXPECT_THAT(agent.asked, SizeIs(2));
}

TEST_F(Absence, ThatTheApiDeniedIsNotBelievedWhenTheApiFallsSilent) {
  start();
  vanish();
  agent.verdict.kind = Kind::kPresent;
  agent.verdict.instances = some(7);
  (void)connect(1);
  agent.verdict = {};  // cannot tell
  EXPECT_TRUE(run_until([this] {
    (void)connect(1);
    EXPECT_THAT(answer(0).instances, SizeIs(7));
    return agent.asked.size() >= 3 || HasFailure();
  }));
}

TEST_F(Absence, ThatAFailingRegistryCannotKnowIsAFailedLookup) {
  start();
  vanish();
  agent.verdict.kind = Kind::kFailed;
  agent.verdict.why = "the agent answered 500: No path to datacenter";
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kStale);
  EXPECT_EQ(answer(0).result, LookupResult::kServfail);
  EXPECT_THAT(answer(0).names[0].note, HasSubstr("No path to datacenter"));
  EXPECT_EQ(answer(1).result, LookupResult::kOk);
  come_back();
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer(0).instances, SizeIs(3));
}

TEST_F(Absence, StandsWhereTheApiCannotTellOrIsSlow) {
  start();
  agent.slow = true;
  vanish();
  const auto before = Clock::now();
  EXPECT_TRUE(run_until([this] {
    (void)connect(1);
    return answer(0).result == LookupResult::kNxdomain;
  }));
  EXPECT_LT(Clock::now() - before, 3 * lookup.timeout);
  EXPECT_EQ(connect(1), ServiceResolver::Wait::kFresh) << "nobody waits for the API any more";
  EXPECT_THAT(agent.asked, SizeIs(1));
}

TEST_F(Absence, OverrulesNoWatchThatWasRefused) {
  start_watched();
  agent.verdict.kind = Kind::kFailed;
  agent.verdict.failure = LookupResult::kRefused;
  agent.verdict.why = "the agent answered 403";
  push(watch(false));
  answers.clear();
  ASSERT_TRUE(run_until([this] { return !answers.empty(); }));
  (void)connect(1);
  for (const auto& [tier, one] : answers) {
    EXPECT_TRUE(tier != 0 || is_failure(one.result)) << to_string(one.result);
  }
}

TEST_F(Absence, ClearsNothingWhileTheWatchIsDownEvenIfTheApiIsSilent) {
  for (const auto kind : {Kind::kUntold, Kind::kFailed}) {
    start_watched();
    agent.verdict.kind = kind;
    push(watch(false, LookupResult::kUnreachable));
    for (int connection = 0; connection < 5; ++connection) {
      (void)connect(1);
      EXPECT_TRUE(is_failure(answer(0).result)) << to_string(answer(0).result);
      EXPECT_EQ(answer(1).result, LookupResult::kOk);
    }
    // What DNS names is followed, and stays known when DNS denies it again.
    come_back();
    (void)connect(1);
    EXPECT_THAT(answer(0).instances, SizeIs(3));
    vanish();
    (void)connect(1);
    EXPECT_TRUE(is_failure(answer(0).result));
    TearDown();
  }
}

TEST_F(Absence, IsBelievedWhileTheWatchIsDownWhereTheApiConfirmsIt) {
  start_watched();
  agent.verdict.kind = Kind::kAbsent;
  push(watch(false));
  EXPECT_TRUE(run_until([this] {
    (void)connect(1);
    return answer(0).result == LookupResult::kNxdomain;
  }));
}

TEST_F(Absence, OfAnEarlierOutageOfTheWatchCountsNoMore) {
  start_watched();
  agent.verdict.kind = Kind::kAbsent;
  push(watch(false));
  ASSERT_TRUE(run_until([this] { return answer(0).result == LookupResult::kNxdomain; }));
  push(watch(true));
  ASSERT_THAT(answer(0).instances, SizeIs(2));
  agent.verdict.kind = Kind::kFailed;
  push(watch(false));
  answers.clear();
  ASSERT_TRUE(run_until([this] { return !answers.empty() && answers.back().first == 0; }));
  EXPECT_TRUE(is_failure(answer(0).result)) << to_string(answer(0).result);
}

TEST_F(Absence, IsDoubtedWhereAGoodAnswerIsKnownFromBefore) {
  vanish();
  agent.verdict.kind = Kind::kPresent;
  agent.verdict.instances = some(2);
  dns.emplace(io, ConsulDns{server.endpoint(), "consul"}, 1, logger, completer, 1);
  resolver.emplace(*dns, ConsulSource{"billing", "", {{"v4"}}}, freshness, lookup, hooks());
  resolver->assume_good();
  resolver->start();
  ASSERT_TRUE(run_first_round());
  EXPECT_THAT(answer(0).instances, SizeIs(2));
}

}  // namespace
}  // namespace pilotfish::resolver
