// Large answers: worked on beside the worker, and only then do they count.
#include <boost/asio/post.hpp>
#include <thread>

#include "net/offload.hpp"
#include "resolver/watch.hpp"
#include "tests/component/resolver/resolver_fixture.hpp"

namespace pilotfish::resolver {
namespace {

using testing::SizeIs;

InstanceList fleet(std::size_t count, std::vector<std::string> tags = {}) {
  InstanceList out;
  for (std::size_t i = 0; i < count; ++i) {
    const auto high = static_cast<std::uint8_t>(i / 250);
    const auto low = static_cast<std::uint8_t>(i % 250 + 1);
    out.push_back({{IpAddress::v4({10, 9, high, low}), 8000}, 1, 1, tags});
  }
  return out;
}

WatchStatePtr up(InstanceList list) {
  auto state = std::make_shared<WatchState>();
  state->up = true;
  state->instances = std::make_shared<const InstanceList>(std::move(list));
  state->asked = state->answered = Clock::now();
  return state;
}

/// A resolver with a Background, whose upstream prepares until `gate` opens.
class Large : public ResolverTest {
 protected:
  void begin(Source source, Endpoint server = {}) {
    dns.emplace(io, ConsulDns{server, "consul"}, 1, logger, completer, 1, &background);
    auto own = hooks();
    own.prepare = [this](std::size_t tier, InstanceSet set) { return prepare(tier, set); };
    resolver.emplace(*dns, std::move(source), freshness, lookup, std::move(own));
    resolver->start();
  }
  net::Awaitable<void> prepare(std::size_t tier, InstanceSet set) {
    prepared.emplace_back(tier, set);
    while (!gate) {
      net::Timer timer(io.get_executor(), 1ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
  }
  void TearDown() override {
    gate = true;
    ResolverTest::TearDown();
  }

  Background background;
  bool gate = true;
  std::vector<std::pair<std::size_t, InstanceSet>> prepared;
};

TEST_F(Large, WhoeverWaitsForALookupWaitsUntilItsAnswerIsPrepared) {
  FakeDnsServer server([](const DnsQuery& query) {
    return DnsAction::send(query.tcp ? consul_answer(query, 600)
                                     : query.reply().truncated().opt().build());
  });
  gate = false;
  lookup.timeout = 5s;
  begin(ConsulSource{"billing", "", {{"v4"}}}, server.endpoint());
  ASSERT_TRUE(run_until([this] { return !prepared.empty(); }));
  EXPECT_THAT(prepared[0].second, SizeIs(600));
  EXPECT_EQ(prepared[0].second[0].tags, std::vector<std::string>{"v4"}) << "as the tier has it";
  EXPECT_TRUE(answers.empty()) << "it does not count yet";
  const auto ticket = resolver->arrive(0, 0, Clock::now());
  EXPECT_FALSE(resolver->satisfied(ticket));
  gate = true;
  ASSERT_TRUE(run_first_round());
  EXPECT_TRUE(answer().instances.same_as(prepared[0].second)) << "the very list that was prepared";
  ASSERT_TRUE(run_until([&] { return resolver->satisfied(ticket); }));
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_TRUE(answer().instances.same_as(prepared[0].second)) << "an equal answer is the same list";
}

TEST_F(Large, AWatchedListIsTakenOverOnceItIsPreparedAndServesUntilThen) {
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); });
  freshness = Freshness::kWatch;
  begin(ConsulSource{"billing", "", {{"v4"}, {}}}, server.endpoint());
  dns->push({"billing", ""}, up(fleet(10)));
  EXPECT_THAT(answer(1).instances, SizeIs(10)) << "a small one counts at once";
  gate = false;
  auto list = fleet(500);
  list[7].tags = {"v4"};
  dns->push({"billing", ""}, up(list));
  EXPECT_THAT(answer(1).instances, SizeIs(10));
  ASSERT_TRUE(run_until([this] { return !prepared.empty(); }));
  EXPECT_THAT(answer(1).instances, SizeIs(10));
  gate = true;
  ASSERT_TRUE(run_until([this] { return answer(1).instances.size() == 500; }));
  EXPECT_THAT(answer(0).instances, SizeIs(1));
  EXPECT_THAT(prepared, SizeIs(2)) << "once per tier";
  const auto kept = answer(1).instances;
  const auto jobs = background.offload().jobs();
  auto confirmed = std::make_shared<WatchState>(*up({}));
  confirmed->instances = std::make_shared<const InstanceList>(list);  // equal, another object
  dns->push({"billing", ""}, confirmed);
  ASSERT_TRUE(run_until([&] { return background.offload().jobs() >= jobs + 2; }));
  ASSERT_TRUE(run_until([&] { return answer(1).answered == confirmed->answered; }));
  EXPECT_TRUE(answer(1).instances.same_as(kept));
  EXPECT_THAT(prepared, SizeIs(2)) << "nothing changed, so there is nothing to prepare";
}

TEST_F(Large, TheNewestStateOfAWatchWinsWhateverIsBeingPrepared) {
  FakeDnsServer server(
      [](const DnsQuery& query) { return DnsAction::send(consul_answer(query, 3)); });
  freshness = Freshness::kWatch;
  begin(ConsulSource{"billing", "", {{}}}, server.endpoint());
  gate = false;
  dns->push({"billing", ""}, up(fleet(500)));
  ASSERT_TRUE(run_until([this] { return !prepared.empty(); }));
  dns->push({"billing", ""}, up(fleet(5)));  // small: counts at once, and is newer
  EXPECT_THAT(answer().instances, SizeIs(5));
  gate = true;
  run_until([] { return false; }, 50ms);
  EXPECT_THAT(answer().instances, SizeIs(5)) << "the large one is older";
  dns->push({"billing", ""}, up(fleet(400)));
  dns->push({"billing", ""}, up(fleet(450)));
  ASSERT_TRUE(run_until([this] { return answer().instances.size() == 450; }));
}

TEST_F(Large, AStaticListIsAnsweredOnceItIsPreparedAndArrivalsWaitForIt) {
  gate = false;
  lookup.timeout = 5s;
  begin(StaticSource{fleet(300)});
  EXPECT_FALSE(resolver->first_round_done());
  const auto ticket = resolver->arrive(0, 0, Clock::now());
  EXPECT_FALSE(resolver->satisfied(ticket));
  ASSERT_TRUE(run_until([this] { return !prepared.empty(); }));
  EXPECT_TRUE(answers.empty());
  gate = true;
  EXPECT_EQ(connect(), ServiceResolver::Wait::kFresh);
  EXPECT_THAT(answer().instances, SizeIs(300));
  EXPECT_TRUE(resolver->satisfied(ticket));
}

TEST_F(Large, AResolverThatStopsWhileItPreparesSaysNothingMore) {
  gate = false;
  begin(StaticSource{fleet(300)});
  ASSERT_TRUE(run_until([this] { return !prepared.empty(); }));
  resolver->stop();
  gate = true;
  run_until([] { return false; }, 30ms);
  EXPECT_TRUE(answers.empty());
}

TEST(Offload, RunsJobsOnItsOwnThreadAndAnswersOnTheExecutor) {
  net::IoContext io{1};
  net::Offload offload;
  std::optional<std::thread::id> where;
  const auto ask = [&]() -> net::Awaitable<void> {
    auto job = [] { return std::this_thread::get_id(); };
    where = co_await offload.run(io.get_executor(), std::move(job));
    EXPECT_NE(*where, std::this_thread::get_id());
  };
  net::asio::co_spawn(io, ask(), net::asio::detached);
  io.run();
  ASSERT_TRUE(where);
  EXPECT_EQ(*where, offload.thread());
  EXPECT_EQ(offload.jobs(), 1U);
}

TEST(Offload, HandsAJobsExceptionToWhoeverWaits) {
  net::IoContext io{1};
  net::Offload offload;
  bool caught = false;
  const auto ask = [&]() -> net::Awaitable<void> {
    try {
      auto job = []() -> int { throw std::runtime_error("no"); };
      (void)co_await offload.run(io.get_executor(), std::move(job));
    } catch (const std::runtime_error&) {
      caught = true;
    }
  };
  net::asio::co_spawn(io, ask(), net::asio::detached);
  io.run();
  EXPECT_TRUE(caught);
}

TEST(Offload, DestroysWhatItKeepsOnItsThreadOrAfterItsEndWhereItIs) {
  struct Noted {
    explicit Noted(std::thread::id& place) : where(&place) {}
    Noted(Noted&& other) noexcept : where(std::exchange(other.where, nullptr)) {}
    Noted& operator=(Noted&&) = delete;
    Noted(const Noted&) = delete;
    Noted& operator=(const Noted&) = delete;
    ~Noted() {
      if (where != nullptr) {
        *where = std::this_thread::get_id();
      }
    }
    std::thread::id* where;
  };
  std::thread::id first;
  std::thread::id second;
  std::shared_ptr<const Noted> late;
  std::thread::id thread;
  {
    net::IoContext io{1};
    net::Offload offload;
    auto early = offload.keep(Noted(first));
    late = offload.keep(Noted(second));
    early.reset();
    const auto ask = [&]() -> net::Awaitable<void> {
      auto job = [] { return 0; };
      (void)co_await offload.run(io.get_executor(), std::move(job));  // behind the destruction
    };
    net::asio::co_spawn(io, ask(), net::asio::detached);
    io.run();
    thread = offload.thread();
  }
  EXPECT_EQ(first, thread);
  late.reset();
  EXPECT_EQ(second, std::this_thread::get_id());
}

}  // namespace
}  // namespace pilotfish::resolver
