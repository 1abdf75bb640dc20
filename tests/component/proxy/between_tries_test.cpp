// What lies between two tries of a request: retry.backoff, and the name that each instance is
// called by (host:).
#include <gmock/gmock.h>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr const char* kNo = "HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\nno";

/// Answers the first `count` requests with `first`, all others with `then`; notes when each came.
FakeInstance::Script at_first(int count, std::string first, std::string then,
                              std::vector<TimePoint>& times) {
  return [=, &times](Peer& peer) mutable -> net::Awaitable<void> {
    for (;;) {
      const bool head = co_await peer.read_until("\r\n\r\n");
      if (!head) {
        co_return;
      }
      peer.received.erase(0, peer.received.find("\r\n\r\n") + 4);
      times.push_back(Clock::now());
      const bool early = static_cast<int>(times.size()) <= count;
      const bool sent = co_await peer.send(early ? first : then);
      if (!sent) {
        co_return;
      }
    }
  };
}

class BetweenTriesTest : public ProxyTest {
 protected:
  static UpstreamOptions patient() {
    auto options = defaults();
    options.retry.attempts = 10;
    options.retry.backoff = 40ms;
    options.cluster.eject.consecutive = 0;
    return options;
  }
  net::Awaitable<std::string> ask(std::string request = kGet) {
    Peer client = co_await connect();
    (void)co_await client.send(std::move(request));
    (void)co_await client.read_until("\r\n\r\n");
    co_return client.received;
  }
};

TEST_F(BetweenTriesTest, TheSameInstanceGetsTimeBeforeItIsAskedAgain) {
  std::vector<TimePoint> times;
  FakeInstance one(io_, at_first(3, kNo, kOk, times));
  start(patient(), {one.endpoint()});
  run([&]() -> net::Awaitable<void> {
    const auto answer = co_await ask();
    EXPECT_THAT(answer, HasSubstr("200 OK"));
  }());
  ASSERT_EQ(times.size(), 4U);
  EXPECT_GE(times[1] - times[0], 20ms);
  EXPECT_GE(times[2] - times[1], 40ms) << "the second pause is twice the first";
  EXPECT_GE(times[3] - times[2], 80ms);
}

TEST_F(BetweenTriesTest, AnotherInstanceIsAskedAtOnce) {
  std::vector<TimePoint> good_times;
  FakeInstance good(io_, at_first(0, kNo, kOk, good_times));
  std::vector<TimePoint> bad_times;
  FakeInstance bad(io_, at_first(1000, kNo, kOk, bad_times));
  auto options = patient();
  options.retry.backoff = 10s;
  start(options, {good.endpoint(), bad.endpoint()});
  run([&]() -> net::Awaitable<void> {
    while (bad_times.empty()) {
      const auto answer = co_await ask();  // within the test's 20 s only without a pause
      EXPECT_THAT(answer, HasSubstr("200 OK"));
    }
  }());
}

TEST_F(BetweenTriesTest, ARefusedConnectionToTheOnlyInstanceIsTriedAgainLater) {
  FakeInstance one(io_, answers(kOk));
  const auto endpoint = one.endpoint();
  one.close();
  auto options = patient();
  options.retry.attempts = 3;
  start(options, {endpoint});
  const auto began = Clock::now();
  run([&]() -> net::Awaitable<void> {
    const auto answer = co_await ask();
    EXPECT_THAT(answer, HasSubstr("503"));
    EXPECT_THAT(answer, HasSubstr("connection_refused"));
  }());
  EXPECT_GE(Clock::now() - began, 20ms + 40ms + 80ms);
}

TEST_F(BetweenTriesTest, ThePauseEndsWithTheRequestsTime) {
  std::vector<TimePoint> times;
  FakeInstance one(io_, at_first(1000, kNo, kOk, times));
  auto options = patient();
  options.retry.backoff = 10s;
  options.request_timeout = 200ms;
  start(options, {one.endpoint()});
  const auto began = Clock::now();
  run([&]() -> net::Awaitable<void> {
    const auto answer = co_await ask();
    EXPECT_THAT(answer, HasSubstr("504"));
  }());
  EXPECT_LT(Clock::now() - began, 5s);
  EXPECT_EQ(times.size(), 1U);
}

TEST_F(BetweenTriesTest, AClientThatResetsEndsThePause) {
  std::vector<TimePoint> times;
  FakeInstance one(io_, at_first(1000, kNo, kOk, times));
  auto options = patient();
  options.retry.backoff = 10s;
  start(options, {one.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    while (times.empty()) {
      net::Timer timer(io_.get_executor(), 5ms);
      (void)co_await timer.async_wait(net::kTuple);
    }
    client.reset();
  }());
  until([&] { return client_connections() == 0; });  // within 5 s, not 10
  EXPECT_EQ(times.size(), 1U);
}

TEST_F(BetweenTriesTest, AKeptConnectionThatDiedIsRepeatedAtOnce) {
  int connections = 0;
  FakeInstance one(io_, [&connections](Peer& peer) -> net::Awaitable<void> {
    const bool first = ++connections == 1;
    const bool head = co_await peer.read_until("\r\n\r\n");
    if (!head) {
      co_return;
    }
    (void)co_await peer.send(kOk);
    (void)co_await peer.read_until("\r\n\r\n", peer.received.size());
    if (first) {
      peer.close();  // the next request on it meets a close
      co_return;
    }
    co_await peer.read_all();
  });
  auto options = patient();
  options.retry.backoff = 60s;
  start(options, {one.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 2; ++i) {
      client.received.clear();
      (void)co_await client.send(kGet);
      const bool answered = co_await client.read_until("\r\n\r\nok");
      EXPECT_TRUE(answered) << client.received;
    }
  }());
  EXPECT_EQ(connections, 2);
}

TEST_F(BetweenTriesTest, ATcpClientsSecondTryOnTheSameInstanceWaits) {
  FakeInstance one(io_, answers(kOk));
  const auto endpoint = one.endpoint();
  one.close();
  auto options = patient();
  options.protocol = Protocol::kTcp;
  options.retry.attempts = 2;
  start(options, {endpoint});
  const auto began = Clock::now();
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    co_await client.read_all();
    EXPECT_TRUE(client.was_reset);
  }());
  EXPECT_GE(Clock::now() - began, 20ms + 40ms);
}

/// Answers each request with the Host it got.
FakeInstance::Script tells_host() {
  return [](Peer& peer) -> net::Awaitable<void> {
    for (;;) {
      const bool whole = co_await peer.read_until("\r\n\r\n");
      if (!whole) {
        co_return;
      }
      const auto head = peer.received.substr(0, peer.received.find("\r\n\r\n") + 4);
      peer.received.erase(0, head.size());
      std::string hosts;
      for (std::size_t at = head.find("\r\nHost: "); at != std::string::npos;
           at = head.find("\r\nHost: ", at + 1)) {
        const auto begin = at + 8;
        hosts += "[" + head.substr(begin, head.find("\r\n", begin) - begin) + "]";
      }
      const bool sent =
          co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(hosts.size()) +
                             "\r\n\r\n" + hosts);
      if (!sent) {
        co_return;
      }
    }
  };
}

class HostTest : public BetweenTriesTest {
 protected:
  /// Twice on one connection: the first request takes the coroutine, the second the short cut.
  void hears(const std::string& request, const std::string& host) {
    run([&]() -> net::Awaitable<void> {
      Peer client = co_await connect();
      for (int i = 0; i < 3; ++i) {
        client.received.clear();
        (void)co_await client.send(request);
        const bool answered = co_await client.read_until("]");
        EXPECT_TRUE(answered) << client.received;
        EXPECT_THAT(client.received, HasSubstr("\r\n\r\n" + host));
      }
    }());
  }
};

TEST_F(HostTest, IsKeptUnlessTheConfigurationSaysOtherwise) {
  FakeInstance one(io_, tells_host());
  start(defaults(), {one.endpoint()});
  hears(kGet, "[a]");
}

TEST_F(HostTest, IsTheInstancesOwn) {
  FakeInstance one(io_, tells_host());
  auto options = defaults();
  options.host.kind = HostRule::Kind::kInstance;
  start(options, {one.endpoint()});
  const auto own = "[" + one.endpoint().to_string() + "]";
  hears(kGet, own);
  hears("GET http://other.example/x HTTP/1.1\r\nHost: other.example\r\n\r\n", own);
  hears("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc", own);
}

TEST_F(HostTest, IsAGivenName) {
  FakeInstance one(io_, tells_host());
  auto options = defaults();
  options.host = {HostRule::Kind::kName, "billing.internal"};
  start(options, {one.endpoint()});
  hears(kGet, "[billing.internal]");
  hears("GET http://other.example/x HTTP/1.1\r\nHost: other.example\r\n\r\n", "[billing.internal]");
}

TEST_F(HostTest, EachTrySaysItsOwnInstancesName) {
  std::vector<std::string> heads;
  const auto refuses = [&heads](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    heads.push_back(peer.received);
    (void)co_await peer.send(kNo);
  };
  FakeInstance bad(io_, refuses);
  FakeInstance good(io_, tells_host());
  auto options = patient();
  options.host.kind = HostRule::Kind::kInstance;
  start(options, {bad.endpoint(), good.endpoint()});
  run([&]() -> net::Awaitable<void> {
    while (heads.empty()) {
      Peer client = co_await connect();
      (void)co_await client.send(kGet);
      (void)co_await client.read_until("]");
      EXPECT_THAT(client.received, HasSubstr("[" + good.endpoint().to_string() + "]"));
    }
  }());
  EXPECT_THAT(heads.front(), HasSubstr("\r\nHost: " + bad.endpoint().to_string() + "\r\n"));
  EXPECT_THAT(heads.front(), Not(HasSubstr("Host: -")));
}

}  // namespace
}  // namespace pilotfish::proxy::testing
