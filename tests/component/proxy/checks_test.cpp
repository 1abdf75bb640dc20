// Active checks: the process's probes and a worker that hears of them, on one loop.
#include <algorithm>
#include <gmock/gmock.h>

#include "proxy/check_feed.hpp"
#include "proxy/health_checks.hpp"
#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

/// What an instance does when it is probed; requests of clients are always answered.
struct Health {
  std::string answer = kOk;  ///< to /health; empty: nothing comes
  bool close = false;        ///< closes at once instead
  int probes = 0;
  std::string last_probe;
};

FakeInstance::Script with(Health& health) {
  return [&health](Peer& peer) -> net::Awaitable<void> {
    for (;;) {
      const bool head = co_await peer.read_until("\r\n\r\n");
      if (!head) {
        co_return;
      }
      const auto end = peer.received.find("\r\n\r\n") + 4;
      const auto request = peer.received.substr(0, end);
      peer.received.erase(0, end);
      if (!request.starts_with("GET /health ")) {
        (void)co_await peer.send(kOk);
        continue;
      }
      ++health.probes;
      health.last_probe = request;
      if (health.close) {
        peer.close();
        co_return;
      }
      if (!health.answer.empty()) {
        (void)co_await peer.send(health.answer);
        peer.shutdown_send();
      }
    }
  };
}

class ChecksTest : public ProxyTest {
 protected:
  class Feed final : public CheckFeed {
   public:
    explicit Feed(ChecksTest& test) : test_(test) {}
    void changed(const std::string& upstream, std::vector<CheckTarget> arrived,
                 std::vector<Endpoint> left) override {
      net::asio::post(test_.io_, [this, upstream, arrived = std::move(arrived),
                                  left = std::move(left)]() mutable {
        test_.checks_->changed(0, upstream, std::move(arrived), std::move(left));
      });
    }

   private:
    ChecksTest& test_;
  };

  static UpstreamOptions checked() {
    auto options = defaults();
    options.retry.attempts = 2;
    options.check.kind = ActiveCheckKind::kHttp;
    options.check.path = "/health";
    options.check.interval = 20ms;
    options.check.timeout = 2s;
    options.check.healthy = 2;
    options.check.unhealthy = 2;
    return options;
  }
  static resolver::Source fixed(const std::vector<Endpoint>& instances) {
    InstanceList list;
    for (const auto& endpoint : instances) {
      list.push_back({.endpoint = endpoint, .tags = {}});
    }
    normalise(list);
    return resolver::StaticSource{list};
  }

  void start_checked(const UpstreamOptions& options, const std::vector<Endpoint>& instances) {
    checks_ = std::make_unique<HealthChecks>(
        io_.get_executor(), logger_, 1,
        [this](const std::string& upstream, const CheckVerdictsPtr& news) {
          proxy_->push_verdicts(upstream, *news);
        });
    checks_->set_upstreams({options});
    shared_.check_feed = &feed_;
    start(options, instances);
  }
  void reload(UpstreamOptions options, const std::vector<Endpoint>& instances) {
    options.source = fixed(instances);
    checks_->set_upstreams({options});
    Proxy::Update update;
    update.upstreams = {options};
    proxy_->apply(update, {{"u", -1, false, ""}});
  }
  [[nodiscard]] InstanceStatus instance(const Endpoint& endpoint) const {
    const auto all = proxy_->status(Clock::now());
    for (const auto& one : all.at(0).instances) {
      if (one.address == endpoint.to_string()) {
        return one;
      }
    }
    return {};
  }
  void becomes(const Endpoint& endpoint, const std::string& state) {
    until([&] { return instance(endpoint).state == state; });
    EXPECT_EQ(instance(endpoint).state, state) << instance(endpoint).why;
  }
  void becomes(const FakeInstance& fake, const std::string& state) {
    becomes(fake.endpoint(), state);
  }
  void asks(int times, std::vector<std::string>& answers) {
    run([&]() -> net::Awaitable<void> {
      for (int i = 0; i < times; ++i) {
        Peer client = co_await connect();
        (void)co_await client.send(kGet);
        (void)co_await client.read_until("\r\n\r\n");
        answers.push_back(client.received);
      }
    }());
  }
  [[nodiscard]] std::string metrics_text() {
    proxy_->refresh_gauges(Clock::now());
    std::array<metrics::Store*, 1> stores{&store_};
    return metrics::expose(stores, Clock::now());
  }
  void TearDown() override {
    checks_.reset();
    ProxyTest::TearDown();
  }

  Feed feed_{*this};
  std::unique_ptr<HealthChecks> checks_;
};

TEST_F(ChecksTest, AnInstanceThatFailsItsCheckGetsNoRequestsUntilItPasses) {
  Health sick;
  Health well;
  FakeInstance one(io_, with(sick));
  FakeInstance two(io_, with(well));
  start_checked(checked(), {one.endpoint(), two.endpoint()});
  until([&] { return sick.probes > 0 && well.probes > 0; });
  EXPECT_EQ(instance(one.endpoint()).state, "healthy");

  sick.answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
  becomes(one, "unhealthy");
  EXPECT_EQ(instance(one.endpoint()).why, "GET /health: 503");
  EXPECT_THAT(metrics_text(),
              HasSubstr("pilotfish_upstream_instances{upstream=\"u\",state=\"unhealthy\"} 1"));
  EXPECT_THAT(logger_.lines, Contains(HasSubstr("instance unhealthy")));
  const auto before = instance(one.endpoint()).requests;
  std::vector<std::string> answers;
  asks(20, answers);
  EXPECT_THAT(answers, Each(HasSubstr("200 OK")));
  EXPECT_EQ(instance(one.endpoint()).requests, before);
  EXPECT_EQ(instance(two.endpoint()).state, "healthy");

  sick.answer = kOk;
  becomes(one, "healthy");
  EXPECT_THAT(logger_.lines, Contains(HasSubstr("instance healthy again")));
  asks(40, answers);
  EXPECT_GT(instance(one.endpoint()).requests, before);
}

TEST_F(ChecksTest, OneFailureIsNoVerdictOfAnInstanceThatPassed) {
  Health health;
  FakeInstance one(io_, with(health));
  auto options = checked();
  options.check.unhealthy = 3;
  start_checked(options, {one.endpoint()});
  until([&] { return health.probes >= 2; });
  for (int round = 0; round < 3; ++round) {
    health.answer = "HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n";
    const auto failed = health.probes;
    until([&] { return health.probes > failed; });
    health.answer = kOk;
    const auto passed = health.probes;
    until([&] { return health.probes > passed + 1; });
    EXPECT_EQ(instance(one.endpoint()).state, "healthy");
  }
}

TEST_F(ChecksTest, EachCauseIsNamed) {
  Health health;
  FakeInstance one(io_, with(health));
  FakeInstance other(io_, answers(kOk));  // so that it is no panic
  auto options = checked();
  options.check.timeout = 200ms;
  start_checked(options, {one.endpoint(), other.endpoint()});
  const auto endpoint = one.endpoint();
  const auto why_is = [&](const std::string& text) {
    until([&] { return instance(endpoint).why == text; });
    EXPECT_EQ(instance(endpoint).why, text);
    EXPECT_EQ(instance(endpoint).state, "unhealthy");
  };
  health.answer = "HTTP/1.1 302 Found\r\nLocation: /\r\nContent-Length: 0\r\n\r\n";
  why_is("GET /health: 302");
  health.answer = "220 mail.example ESMTP\r\n\r\n";
  why_is("GET /health: no valid HTTP");
  health.answer = "HTTP/1.1 200 OK\r\nContent-";
  why_is("GET /health: closed without a whole answer");
  health.answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n";
  why_is("GET /health: 101");
  health.answer = "";
  why_is("no answer in 200ms");
  health.answer = "HTTP/1.1 200 OK\r\nx: " + std::string(100'000, 'x');
  why_is("GET /health: head of the answer too large");
  one.close();
  one.close_connections();
  why_is("connection refused");
}

TEST_F(ChecksTest, AnswersThatAreLongLateOrNeverEndPassByTheirStatus) {
  Health health;
  health.answer = "HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n";
  FakeInstance one(io_, with(health));
  start_checked(checked(), {one.endpoint()});
  until([&] { return health.probes >= 3; });
  EXPECT_EQ(instance(one.endpoint()).state, "healthy") << instance(one.endpoint()).why;
  health.answer = "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + std::string(90'000, 'x');
  const auto before = health.probes;
  until([&] { return health.probes >= before + 4; });
  EXPECT_EQ(instance(one.endpoint()).state, "healthy") << instance(one.endpoint()).why;
}

TEST_F(ChecksTest, WhereAllFailTheCheckIsIgnored) {
  Health first;
  Health second;
  first.answer = second.answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
  FakeInstance one(io_, with(first));
  FakeInstance two(io_, with(second));
  start_checked(checked(), {one.endpoint(), two.endpoint()});
  becomes(one, "unhealthy");
  becomes(two, "unhealthy");
  std::vector<std::string> answers;
  asks(10, answers);
  EXPECT_THAT(answers, Each(HasSubstr("200 OK")));
  EXPECT_THAT(proxy_->status(Clock::now()).at(0).reason, HasSubstr("although all are unhealthy"));
}

TEST_F(ChecksTest, AnInstanceThatLeftIsNoLongerProbedAndForgotten) {
  Health gone;
  Health stays;
  gone.answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
  FakeInstance one(io_, with(gone));
  FakeInstance two(io_, with(stays));
  const auto options = checked();
  start_checked(options, {one.endpoint(), two.endpoint()});
  becomes(one, "unhealthy");
  reload(options, {two.endpoint()});
  until([&] { return instance(one.endpoint()).state == "absent"; });
  const auto others = stays.probes;
  until([&] { return stays.probes >= others + 2; });  // one that was under way is over
  const auto probes = gone.probes;
  until([&] { return stays.probes >= others + 6; });
  EXPECT_EQ(gone.probes, probes);

  gone.answer = kOk;
  reload(options, {one.endpoint(), two.endpoint()});
  until([&] { return gone.probes > probes; });
  EXPECT_EQ(instance(one.endpoint()).state, "healthy") << "it begins anew";
}

TEST_F(ChecksTest, AReloadKeepsVerdictsAndEndsThemWithTheCheck) {
  Health sick;
  Health well;
  sick.answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
  FakeInstance one(io_, with(sick));
  FakeInstance two(io_, with(well));
  auto options = checked();
  start_checked(options, {one.endpoint(), two.endpoint()});
  becomes(one, "unhealthy");
  options.request_timeout = 7s;
  options.check.interval = 1h;  // no probe speaks for it any more
  reload(options, {one.endpoint(), two.endpoint()});
  std::vector<std::string> answers;
  asks(5, answers);
  EXPECT_EQ(instance(one.endpoint()).state, "unhealthy");
  auto plain = options;
  plain.check = {};
  reload(plain, {one.endpoint(), two.endpoint()});
  EXPECT_EQ(instance(one.endpoint()).state, "healthy");
  options.check.interval = 20ms;
  reload(options, {one.endpoint(), two.endpoint()});
  becomes(one, "unhealthy");
}

TEST_F(ChecksTest, AShorterIntervalOfAReloadCountsAtOnce) {
  Health health;
  FakeInstance one(io_, with(health));
  auto options = checked();
  options.check.interval = 1h;
  start_checked(options, {one.endpoint()});
  until([&] { return health.probes == 1; });
  options.check.interval = 20ms;
  reload(options, {one.endpoint()});
  until([&] { return health.probes >= 3; });
}

TEST_F(ChecksTest, HostOfTheProbeIsWhatHostSays) {
  Health health;
  FakeInstance one(io_, with(health));
  auto options = checked();
  start_checked(options, {one.endpoint()});
  until([&] { return health.probes > 0; });
  EXPECT_THAT(health.last_probe, HasSubstr("Host: " + one.endpoint().to_string() + "\r\n"));
  options.host = {HostRule::Kind::kName, "billing.internal"};
  reload(options, {one.endpoint()});
  until([&] { return health.last_probe.find("billing.internal") != std::string::npos; });
  EXPECT_THAT(health.last_probe, HasSubstr("\r\nHost: billing.internal\r\n"));
}

TEST_F(ChecksTest, ATcpCheckPassesWithAConnection) {
  FakeInstance one(io_, [](Peer& peer) -> net::Awaitable<void> { co_await peer.read_all(); });
  FakeInstance two(io_, [](Peer& peer) -> net::Awaitable<void> { co_await peer.read_all(); });
  auto options = checked();
  options.protocol = Protocol::kTcp;
  options.check.kind = ActiveCheckKind::kTcp;
  start_checked(options, {one.endpoint(), two.endpoint()});
  until([&] { return one.peers.size() >= 2; });
  EXPECT_EQ(instance(one.endpoint()).state, "healthy");
  const auto endpoint = one.endpoint();
  one.close();
  becomes(endpoint, "unhealthy");
  EXPECT_EQ(instance(endpoint).why, "connection refused");
}

TEST_F(ChecksTest, KeptConnectionsOfAnUnhealthyInstanceAreClosed) {
  Health health;
  FakeInstance one(io_, with(health));
  FakeInstance other(io_, answers(kOk));
  auto options = checked();
  options.timeouts.pool_idle = 1h;
  start_checked(options, {one.endpoint(), other.endpoint()});
  std::vector<std::string> got;
  while (instance(one.endpoint()).requests == 0) {
    asks(1, got);
  }
  health.answer = "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
  becomes(one, "unhealthy");
  // Whatever it still holds open would be the kept one: probes end theirs.
  until([&] {
    return std::ranges::all_of(one.peers, [](Peer& peer) {
      std::array<char, 1> byte{};
      return !peer.socket().is_open() ||
             ::recv(peer.socket().native_handle(), byte.data(), 1, MSG_PEEK | MSG_DONTWAIT) == 0;
    });
  });
}

TEST_F(ChecksTest, AtMostSoManyProbesRunAtOnce) {
  std::size_t open = 0;
  std::size_t most = 0;
  const auto stall = [&](Peer& peer) -> net::Awaitable<void> {
    most = std::max(most, ++open);
    co_await peer.read_all();
    --open;
  };
  std::list<FakeInstance> fakes;
  std::vector<Endpoint> endpoints;
  for (std::size_t i = 0; i < HealthChecks::kAtOnce * 2; ++i) {
    endpoints.push_back(fakes.emplace_back(io_, stall).endpoint());
  }
  auto options = checked();
  options.check.timeout = 100ms;
  start_checked(options, endpoints);
  const auto all_out = [this] {
    const auto status = proxy_->status(Clock::now());
    return std::ranges::all_of(status.at(0).instances,
                               [](const InstanceStatus& one) { return one.state == "unhealthy"; });
  };
  run([&]() -> net::Awaitable<void> {
    while (!all_out()) {
      net::Timer timer(io_.get_executor(), 20ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
  }());
  EXPECT_LE(most, HealthChecks::kAtOnce + 4) << "some that ended may not have noticed yet";
  EXPECT_THAT(logger_.lines, Not(IsEmpty()));
  EXPECT_LE(logger_.lines.size(), 20U) << "a flood is counted, not listed";
}

}  // namespace
}  // namespace pilotfish::proxy::testing
