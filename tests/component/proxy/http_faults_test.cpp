// What an instance or a client can do at any byte: for all N.
#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: b\r\n\r\nhello";
const std::string kChunked =
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\nT: u\r\n\r\n";

TEST_F(ProxyTest, AnswersArriveWholeHoweverTheyAreSliced) {
  const auto sliced = [](std::string answer, std::size_t step) {
    return [answer = std::move(answer), step](Peer& peer) -> net::Awaitable<void> {
      (void)co_await peer.read_until("\r\n\r\n");
      for (std::size_t at = 0; at < answer.size(); at += step) {
        const bool sent = co_await peer.send(answer.substr(at, step));
        if (!sent) {
          co_return;
        }
        net::Timer pause(peer.socket().get_executor(), 1ms);
        (void)co_await pause.async_wait(net::kTuple);
      }
    };
  };
  FakeInstance by_one(io_, sliced(kChunked, 1));
  start(defaults(), {by_one.endpoint()});
  run([](ProxyTest* self, auto connect) -> net::Awaitable<void> {
    (void)self;
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    (void)co_await client.read_until("T: u\r\n\r\n");
    std::string data;
    const auto body = client.received.substr(client.received.find("\r\n\r\n") + 4);
    for (const char c : body) {
      if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
        data.push_back(c);
      }
    }
    EXPECT_EQ(data, "helloTu");
  }(this, [this] { return connect(); }));
}

TEST_F(ProxyTest, ARequestWorksHoweverItIsSliced) {
  FakeInstance instance(io_, answers(kAnswer));
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    const std::string request = kGet;
    for (const char c : request) {
      (void)co_await client.send(std::string(1, c));
      net::Timer pause(client.socket().get_executor(), 1ms);
      (void)co_await pause.async_wait(net::kTuple);
    }
    const bool got = co_await client.read_until("hello");
    EXPECT_TRUE(got);
  }([this] { return connect(); }));
}

/// For every N: the instance sends N bytes of `answer` and ends the connection.
net::Awaitable<void> cut_everywhere(ProxyTest* /*test*/, std::size_t* cut, std::string answer,
                                    std::function<net::Awaitable<Peer>()> connect) {
  const auto head = answer.find("\r\n\r\n") + 4;
  for (*cut = 0; *cut < answer.size(); ++*cut) {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    co_await client.read_all();
    if (*cut < head) {
      EXPECT_NE(client.received.find("HTTP/1.1 502 "), std::string::npos) << *cut;
      EXPECT_NE(client.received.find("Proxy-Status: pilotfish; error="), std::string::npos) << *cut;
    } else {
      EXPECT_EQ(client.received.find("HTTP/1.1 200 OK"), 0U) << *cut;
      EXPECT_EQ(client.received.find("0\r\n\r\n"), std::string::npos) << "a clean end at " << *cut;
      EXPECT_EQ(client.received.find("0\r\nT: u"), std::string::npos) << "a clean end at " << *cut;
    }
  }
}

TEST_F(ProxyTest, AnAnswerCutAtAnyByteIsA502OrAVisibleCut) {
  for (const auto& answer : {kAnswer, kChunked}) {
    std::size_t cut = 0;
    FakeInstance instance(io_, [&cut, answer](Peer& peer) -> net::Awaitable<void> {
      (void)co_await peer.read_until("\r\n\r\n");
      (void)co_await peer.send(answer.substr(0, cut));
      peer.close();
    });
    auto options = defaults();
    options.cluster.eject.consecutive = 0;
    // A 502 lets the client go on; here each connection shall end.
    options.timeouts.keep_alive = 50ms;
    start(options, {instance.endpoint()});
    run(cut_everywhere(this, &cut, answer, [this] { return connect(); }));
    TearDown();
  }
}

TEST_F(ProxyTest, AClientThatLeavesAtAnyByteLeavesNothingBehind) {
  FakeInstance instance(io_, answers("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    const std::string request =
        "POST /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n";
    for (std::size_t n = 0; n <= request.size(); ++n) {
      Peer client = co_await connect();
      (void)co_await client.send(request.substr(0, n));
      if (n % 2 == 0) {
        client.reset();
      } else {
        client.close();
      }
    }
  }([this] { return connect(); }));
  until([this] { return client_connections() == 0 && in_flight() == 0; });
}

TEST_F(ProxyTest, AKeptConnectionThatDiedIsReplacedOnceAndForFree) {
  int connections = 0;
  FakeInstance instance(io_, [&connections](Peer& peer) -> net::Awaitable<void> {
    ++connections;
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send(kAnswer);
    // The next request on this connection is read and then the connection closed without a byte.
    peer.received.clear();
    (void)co_await peer.read_until("\r\n\r\n");
    peer.close();
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 4; ++i) {
      client.received.clear();
      (void)co_await client.send(kGet);
      const bool got = co_await client.read_until("hello");
      EXPECT_TRUE(got) << i;
      EXPECT_EQ(client.received.find("HTTP/1.1 200 OK"), 0U) << i;
    }
  }([this] { return connect(); }));
  EXPECT_EQ(connections, 4);
}

TEST_F(ProxyTest, APostOnAKeptConnectionThatDiedIsNotRepeated) {
  int requests = 0;
  FakeInstance instance(io_, [&requests](Peer& peer) -> net::Awaitable<void> {
    for (;;) {
      const bool got = co_await peer.read_until("\r\n\r\n");
      if (!got) {
        co_return;
      }
      peer.received.clear();
      if (++requests == 2) {
        peer.close();
        co_return;
      }
      (void)co_await peer.send(kAnswer);
    }
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    (void)co_await client.read_until("hello");
    client.received.clear();
    (void)co_await client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n");
    (void)co_await client.read_until("\r\n\r\n");
    EXPECT_EQ(client.received.find("HTTP/1.1 502 "), 0U);
  }([this] { return connect(); }));
  EXPECT_EQ(requests, 2);
}

TEST_F(ProxyTest, StrayBytesOnAnIdleConnectionNeverReachTheNextRequest) {
  int connections = 0;
  FakeInstance instance(io_, [&connections](Peer& peer) -> net::Awaitable<void> {
    ++connections;
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send(kAnswer);
    net::Timer pause(peer.socket().get_executor(), 5ms);
    (void)co_await pause.async_wait(net::kTuple);
    (void)co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL");
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 3; ++i) {
      client.received.clear();
      (void)co_await client.send(kGet);
      (void)co_await client.read_until("hello");
      EXPECT_EQ(client.received.find("EVIL"), std::string::npos);
      net::Timer pause(client.socket().get_executor(), 20ms);
      (void)co_await pause.async_wait(net::kTuple);
    }
  }([this] { return connect(); }));
  EXPECT_EQ(connections, 3);
}

TEST_F(ProxyTest, ADeadInstanceCostsATryOnAnotherOneNeverAnError) {
  FakeInstance dead(io_, answers(kAnswer));
  const auto gone = dead.endpoint();
  dead.close();
  FakeInstance alive(io_, answers(kAnswer));
  auto options = defaults();
  options.retry.attempts = 2;
  start(options, {gone, alive.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    for (int i = 0; i < 30; ++i) {
      Peer client = co_await connect();
      (void)co_await client.send(kGet);
      const bool got = co_await client.read_until("hello");
      EXPECT_TRUE(got) << i;
    }
  }([this] { return connect(); }));
}

TEST_F(ProxyTest, ARepeatedChunkedRequestIsWholeAlsoWhereItsEndCameLater) {
  for (const std::string first : {"5\r\nhello\r\n", ""}) {
    int requests = 0;
    std::string repeated;
    FakeInstance instance(io_, [&](Peer& peer) -> net::Awaitable<void> {
      (void)co_await peer.read_until("0\r\n\r\n");
      if (++requests == 1) {
        peer.reset();
        co_return;
      }
      repeated = peer.received;
      (void)co_await peer.send(kAnswer);
    });
    auto options = defaults();
    options.retry.attempts = 1;
    options.request_timeout = 3s;
    start(options, {instance.endpoint()});
    run([](auto connect, std::string chunk) -> net::Awaitable<void> {
      Peer client = co_await connect();
      (void)co_await client.send(
          "PUT /x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk);
      net::Timer pause(client.socket().get_executor(), 50ms);
      (void)co_await pause.async_wait(net::kTuple);
      (void)co_await client.send("0\r\n\r\n");
      (void)co_await client.read_until("hello");
      EXPECT_EQ(client.received.find("HTTP/1.1 200 OK"), 0U) << client.received;
    }([this] { return connect(); }, first));
    EXPECT_EQ(requests, 2);
    EXPECT_TRUE(repeated.ends_with("0\r\n\r\n"));
    EXPECT_EQ(repeated.find("0\r\n\r\n"), repeated.size() - 5);
    TearDown();
  }
}

TEST_F(ProxyTest, AClientThatLeavesDuringAStreamIsNoFailureOfItsInstance) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n");
    co_await peer.read_all();
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    (void)co_await client.read_until("x\r\n");
    net::Timer pause(client.socket().get_executor(), 50ms);
    (void)co_await pause.async_wait(net::kTuple);
    client.reset();
  }([this] { return connect(); }));
  until([this] { return in_flight() == 0; });
  EXPECT_EQ(proxy_->status(Clock::now()).at(0).instances.at(0).failures, 0U);
}

TEST_F(ProxyTest, BadTrailersInTheFirstBytesAreA502) {
  FakeInstance instance(io_, answers("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                     "0\r\nContent-Length: 3\r\n\r\n"));
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    (void)co_await client.read_until("\r\n\r\n");
    EXPECT_EQ(client.received.find("HTTP/1.1 502 "), 0U) << client.received;
  }([this] { return connect(); }));
}

}  // namespace
}  // namespace pilotfish::proxy::testing
