// A worker that is reconfigured while requests run on it.
#include <gmock/gmock.h>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kNo = "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno";

class ReloadTest : public ProxyTest {
 protected:
  static resolver::Source fixed(const std::vector<Endpoint>& instances) {
    InstanceList list;
    for (const auto& endpoint : instances) {
      list.push_back({.endpoint = endpoint, .tags = {}});
    }
    normalise(list);
    return resolver::StaticSource{list};
  }

  void apply(std::vector<UpstreamOptions> upstreams, std::vector<Proxy::Listener> listeners,
             std::uint32_t max_clients = 10000) {
    Proxy::Update update;
    update.upstreams = std::move(upstreams);
    update.max_clients = max_clients;
    proxy_->apply(update, std::move(listeners));
  }

  [[nodiscard]] InstanceStatus instance(const Endpoint& endpoint, std::size_t upstream = 0) const {
    const auto all = proxy_->status(Clock::now());
    for (const auto& one : all.at(upstream).instances) {
      if (one.address == endpoint.to_string()) {
        return one;
      }
    }
    return {};
  }

  net::Awaitable<std::string> ask(std::string request = kGet) {
    Peer client = co_await connect();
    (void)co_await client.send(std::move(request));
    (void)co_await client.read_until("\r\n\r\n");
    co_return client.received;
  }
};

/// Answers with a 200 once told to.
FakeInstance::Script later(bool& now) {
  return [&now](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    while (!now) {
      net::Timer timer(peer.socket().get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    (void)co_await peer.send(kOk);
  };
}

TEST_F(ReloadTest, ARequestThatRunsOnARemovedUpstreamIsAnsweredAndItsConnectionCloses) {
  bool now = false;
  FakeInstance instance(io_, later(now));
  start(defaults(), {instance.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    while (in_flight() == 0) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    apply({}, {});
    EXPECT_THAT(proxy_->status(Clock::now()), IsEmpty());
    now = true;
    co_await client.read_all();
    EXPECT_THAT(client.received, HasSubstr("200 OK"));
    EXPECT_THAT(client.received, HasSubstr("Connection: close"));
    EXPECT_FALSE(client.was_reset);
  }());
  // Nothing is left of it but its series, for a minute.
  until([&] {
    std::array<metrics::Store*, 1> stores{&store_};
    return metrics::expose(stores, Clock::now() + 61s).find("upstream=\"u\"") == std::string::npos;
  });
  proxy_->stop();
  proxy_.reset();
}

TEST_F(ReloadTest, AnUpstreamThatComesBackWhileItStillLeavesKeepsWhatItKnew) {
  bool now = false;
  FakeInstance instance(io_, later(now));
  auto options = defaults();
  start(options, {instance.endpoint()});
  options.source = fixed({instance.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    while (in_flight() == 0) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    apply({}, {});
    apply({options}, {});
    EXPECT_EQ(in_flight(), 1U);
    now = true;
    co_await client.read_until("\r\n\r\nok");
    EXPECT_THAT(client.received, HasSubstr("200 OK"));
  }());
  until([&] { return in_flight() == 0; });
  EXPECT_EQ(this->instance(instance.endpoint()).requests, 1U);
}

TEST_F(ReloadTest, AnUpstreamThatReturnsDoesNotBringBackTheSeriesOfInstancesThatAreGone) {
  bool closed = false;
  FakeInstance old(io_, [&closed](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send(kOk);
    co_await peer.read_all();
    closed = true;
  });
  FakeInstance other(io_, answers(kOk));
  auto options = defaults();
  start(options, {old.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    co_await client.read_until("\r\n\r\nok");
    client.close();
  }());
  apply({}, {});
  until([&] { return closed; });  // its pool is closed where nobody uses it any more
  options.source = fixed({other.endpoint()});
  apply({options}, {});
  std::array<metrics::Store*, 1> stores{&store_};
  EXPECT_THAT(metrics::expose(stores, Clock::now()), HasSubstr(old.endpoint().to_string()));
  const auto later = metrics::expose(stores, Clock::now() + 61s);
  EXPECT_THAT(later, HasSubstr("upstream=\"u\""));
  EXPECT_THAT(later, Not(HasSubstr(old.endpoint().to_string())));
}

TEST_F(ReloadTest, EveryOptionThatIsCopiedSomewhereTakesEffect) {
  FakeInstance good(io_, answers(kOk));
  FakeInstance bad(io_, answers(kNo));
  auto options = defaults();
  options.limits.connections = 1;
  options.limits.pending = 0;
  options.cluster.eject.consecutive = 0;
  start(options, {bad.endpoint()});
  options.source = fixed({bad.endpoint()});
  run([&]() -> net::Awaitable<void> {
    const auto refused = co_await ask();
    EXPECT_THAT(refused, HasSubstr("503 No"));

    options.cluster.eject.consecutive = 1;  // the cluster's
    options.cluster.eject.base = 5min;
    options.cluster.eject.max_share_percent = 100;
    options.source = fixed({bad.endpoint(), good.endpoint()});
    apply({options}, {{"u", -1, false, ""}});
    while (instance(bad.endpoint()).state != "ejected") {
      (void)co_await ask();
    }
    const auto answer = co_await ask();
    EXPECT_THAT(answer, HasSubstr("200 OK"));

    options.limits.head = 64;  // the session's
    apply({options}, {{"u", -1, false, ""}});
    const auto large =
        co_await ask("GET / HTTP/1.1\r\nHost: a\r\nx: " + std::string(80, 'x') + "\r\n\r\n");
    EXPECT_THAT(large, HasSubstr("431"));
    EXPECT_EQ(instance(bad.endpoint()).state, "ejected");

    options.cluster.eject.consecutive = 0;
    apply({options}, {{"u", -1, false, ""}});
    EXPECT_EQ(instance(bad.endpoint()).state, "healthy");
  }());
}

TEST_F(ReloadTest, ConnectionLimitsGrowForThoseWhoWait) {
  bool now = false;
  FakeInstance instance(io_, later(now));
  auto options = defaults();
  options.limits.connections = 1;
  options.connect_timeout = 15s;
  start(options, {instance.endpoint()});
  options.source = fixed({instance.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer one = co_await connect();
    (void)co_await one.send(kGet);
    Peer two = co_await connect();
    (void)co_await two.send(kGet);
    while (in_flight() < 2) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    EXPECT_EQ(instance.peers.size(), 1U);
    options.limits.connections = 2;
    apply({options}, {{"u", -1, false, ""}});
    while (instance.peers.size() < 2) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    now = true;
    const bool first = co_await one.read_until("\r\n\r\nok");
    const bool second = co_await two.read_until("\r\n\r\nok");
    EXPECT_TRUE(first && second);
  }());
}

TEST_F(ReloadTest, AnAddressPassesToAnotherUpstreamWithoutASocketBeingClosed) {
  FakeInstance one(io_, answers("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none"));
  FakeInstance two(io_, answers("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo"));
  auto options = defaults();
  start(options, {one.endpoint()});
  options.name = "v";
  options.source = fixed({two.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer kept = co_await connect();
    (void)co_await kept.send(kGet);
    (void)co_await kept.read_until("\r\n\r\none");
    apply({options}, {{"v", -1, false, ""}});
    Peer fresh = co_await connect();
    (void)co_await fresh.send(kGet);
    const bool answered = co_await fresh.read_until("\r\n\r\ntwo");
    EXPECT_TRUE(answered) << fresh.received;
    // Who came before is answered by whom it came for, once more.
    kept.received.clear();
    (void)co_await kept.send(kGet);
    co_await kept.read_all();
    EXPECT_THAT(kept.received, HasSubstr("\r\n\r\none"));
    EXPECT_THAT(kept.received, HasSubstr("Connection: close"));
  }());
}

TEST_F(ReloadTest, ASourceThatIsNotAnsweredYetLeavesTheFormerInstancesInService) {
  FakeInstance one(io_, answers(kOk));
  auto options = defaults();
  start(options, {one.endpoint()});
  options.lookup.timeout = 50ms;
  options.source = resolver::SrvSource{{"_x._tcp.example"}, {*Endpoint::parse("127.0.0.1:1")}};
  run([&]() -> net::Awaitable<void> {
    apply({options}, {{"u", -1, false, ""}});
    const auto answer = co_await ask();
    EXPECT_THAT(answer, HasSubstr("200 OK"));
    EXPECT_THAT(proxy_->status(Clock::now()).at(0).reason, HasSubstr("before the reload"));
    options.source = fixed({one.endpoint()});
    apply({options}, {{"u", -1, false, ""}});
    EXPECT_THAT(proxy_->status(Clock::now()).at(0).reason, Not(HasSubstr("before the reload")));
  }());
}

TEST_F(ReloadTest, MaxClientsGrowsForThoseInTheKernelsQueue) {
  FakeInstance one(io_, answers(kOk));
  auto options = defaults();
  shared_.max_clients = 1;
  start(options, {one.endpoint()});
  options.source = fixed({one.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer first = co_await connect();
    (void)co_await first.send(kGet);
    (void)co_await first.read_until("\r\n\r\nok");
    Peer second = co_await connect();
    (void)co_await second.send(kGet);
    apply({options}, {{"u", -1, false, ""}}, 2);
    const bool answered = co_await second.read_until("\r\n\r\nok");
    EXPECT_TRUE(answered);
  }());
}

TEST_F(ReloadTest, WhoWaitsForAConnectionGoesToAnInstanceThatIsStillThere) {
  bool now = false;
  FakeInstance gone(io_, later(now));
  FakeInstance there(io_, answers(kNo));
  auto options = defaults();
  options.limits.connections = 1;
  options.connect_timeout = 10s;
  start(options, {gone.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer holder = co_await connect();
    (void)co_await holder.send(kGet);
    while (instance(gone.endpoint()).in_flight == 0) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    Peer waiting = co_await connect();
    (void)co_await waiting.send(kGet);
    while (instance(gone.endpoint()).in_flight == 1) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    options.source = fixed({there.endpoint()});
    apply({options}, {{"u", -1, false, ""}});
    now = true;
    (void)co_await waiting.read_until("\r\n\r\n");
    EXPECT_THAT(waiting.received, HasSubstr("503 No")) << "the answer of the one that is there";
  }());
  EXPECT_EQ(gone.peers.size(), 1U);
  EXPECT_EQ(there.peers.size(), 1U);
}

TEST_F(ReloadTest, WhoIsInTheQueueOfARemovedAddressIsServedByWhomItCameFor) {
  FakeInstance one(io_, answers(kOk));
  auto options = defaults();
  shared_.max_clients = 1;
  start(options, {one.endpoint()});
  options.source = fixed({one.endpoint()});
  auto removed = options;
  removed.name = "v";
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  net::asio::ip::tcp::endpoint there(net::asio::ip::address_v4::loopback(), 0);
  ASSERT_EQ(::bind(descriptor, there.data(), static_cast<socklen_t>(there.size())), 0);
  ASSERT_EQ(::listen(descriptor, 8), 0);
  socklen_t size = static_cast<socklen_t>(there.capacity());
  ::getsockname(descriptor, there.data(), &size);
  run([&]() -> net::Awaitable<void> {
    apply({options, removed}, {{"u", -1, false, ""}, {"v", descriptor, false, "v"}}, 1);
    Peer first = co_await connect();
    (void)co_await first.send(kGet);
    (void)co_await first.read_until("\r\n\r\nok");
    net::TcpSocket socket(io_.get_executor());
    (void)co_await socket.async_connect(there, net::kTuple);
    Peer second(std::move(socket));
    (void)co_await second.send(kGet);
    apply({options}, {{"u", -1, false, ""}}, 1);
    net::Timer pause(io_.get_executor(), 100ms);  // what is unused would go meanwhile
    (void)co_await pause.async_wait(net::kTuple);
    first.close();
    const bool answered = co_await second.read_until("\r\n\r\nok");
    EXPECT_TRUE(answered) << second.received;
  }());
}

}  // namespace
}  // namespace pilotfish::proxy::testing
