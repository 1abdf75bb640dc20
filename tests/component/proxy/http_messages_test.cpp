// What a proxy owes a message beyond passing it on: tunnels, trailers, cuts that look like ends,
// deadlines, closes.
#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const std::string kUpgrade =
    "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const std::string kSwitched =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";

class MessagesTest : public ProxyTest {};

TEST_F(MessagesTest, AnUpgradedConnectionOutlivesTheTimeItsAnswerHad) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    if (peer.received.starts_with("GET /ws")) {
      (void)co_await peer.send(kSwitched);
      (void)co_await peer.read_until("ping");
      (void)co_await peer.send("pong");
    }
    co_await peer.read_all();  // what is no upgrade is never answered
  });
  auto options = defaults();
  options.request_timeout = 150ms;
  start(options, {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer tunnel = co_await connect();
    (void)co_await tunnel.send(kUpgrade);
    (void)co_await tunnel.read_until("\r\n\r\n");
    EXPECT_TRUE(tunnel.received.starts_with("HTTP/1.1 101 ")) << tunnel.received;
    Peer later = co_await connect();  // began later: once it was given up, the 101's time is over
    (void)co_await later.send(kGet);
    (void)co_await later.read_until("\r\n\r\n");
    EXPECT_TRUE(later.received.starts_with("HTTP/1.1 504 ")) << later.received;
    (void)co_await tunnel.send("ping");
    const bool alive = co_await tunnel.read_until("pong");
    EXPECT_TRUE(alive);
  }([this] { return connect(); }));
}

TEST_F(MessagesTest, RequestTrailersReachNoInstance) {
  // The end of the body comes with its head, and later.
  for (const bool later : {false, true}) {
    std::string seen;
    FakeInstance instance(io_, [&seen](Peer& peer) -> net::Awaitable<void> {
      for (const std::string text : {"0\r\n\r\n", "GET /next"}) {
        const bool more = co_await peer.read_until(text);
        if (!more) {
          co_return;
        }
        seen = peer.received;
        (void)co_await peer.send(kAnswer);
      }
      co_await peer.read_all();
    });
    start(defaults(), {instance.endpoint()});
    run([](auto connect, bool in_two, FakeInstance* asked) -> net::Awaitable<void> {
      Peer client = co_await connect();
      (void)co_await client.send(
          "POST /x HTTP/1.1\r\nHost: a\r\nTrailer: GET\r\nTransfer-Encoding: chunked\r\n\r\n");
      while (in_two && asked->peers.empty()) {
        net::Timer pause(client.socket().get_executor(), 1ms);
        (void)co_await pause.async_wait(net::kTuple);
      }
      (void)co_await client.send("0\r\nGET:/y HTTP/1.1\r\nAuthorization: x\r\n\r\n");
      (void)co_await client.read_until("hello");
      client.received.clear();
      (void)co_await client.send("GET /next HTTP/1.1\r\nHost: a\r\n\r\n");
      (void)co_await client.read_until("hello");
    }([this] { return connect(); }, later, &instance));
    EXPECT_NE(seen.find("\r\n\r\n0\r\n\r\nGET /next "), std::string::npos) << seen;
    EXPECT_EQ(seen.find("GET:"), std::string::npos) << seen;
    EXPECT_EQ(seen.find("Trailer"), std::string::npos) << seen;
    TearDown();
  }
}

TEST_F(MessagesTest, AnAnswerThatAResetEndedIsNoWholeOne) {
  // Who learns of the reset first, the upload or the reader, is chance: so many rounds.
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send("HTTP/1.1 200 OK\r\n\r\nhalf of it");
    (void)co_await peer.read_to(peer.received.size() + 100000);
    peer.reset();
  });
  auto options = defaults();
  options.cluster.eject.consecutive = 0;
  start(options, {instance.endpoint()});
  int cut = 0;
  run([](auto connect, int* cuts) -> net::Awaitable<void> {
    for (int i = 0; i < 60; ++i) {
      Peer client = co_await connect();
      (void)co_await client.send(
          "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n");
      (void)co_await client.read_until("half of it");
      const std::string part(16000, 'b');
      bool sending = true;
      while (sending) {
        sending = co_await client.send(part);
      }
      co_await client.read_all();
      *cuts += client.received.ends_with("\r\n0\r\n\r\n") ? 0 : 1;
    }
  }([this] { return connect(); }, &cut));
  EXPECT_EQ(cut, 60);
}

TEST_F(MessagesTest, WhatTheEndOfADrainCutsLooksCut) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    const bool tunnel = peer.received.starts_with("GET /ws");
    const std::string answer = tunnel ? kSwitched : "HTTP/1.1 200 OK\r\n\r\nhalf";
    (void)co_await peer.send(answer);
    co_await peer.read_all();
  });
  start(defaults(), {instance.endpoint()});
  std::list<Peer> clients;
  run([](auto connect, std::list<Peer>* all) -> net::Awaitable<void> {
    for (const auto& request : {std::string("GET /x HTTP/1.0\r\n\r\n"), kUpgrade}) {
      Peer peer = co_await connect();
      all->push_back(std::move(peer));
      (void)co_await all->back().send(request);
      const std::string begun = request == kUpgrade ? "\r\n\r\n" : "half";
      (void)co_await all->back().read_until(begun);
    }
  }([this] { return connect(); }, &clients));
  proxy_->stop();
  run([](std::list<Peer>* all) -> net::Awaitable<void> {
    for (auto& client : *all) {
      co_await client.read_all();
      EXPECT_TRUE(client.was_reset);
    }
  }(&clients));
  until([&instance] { return instance.peers.back().was_reset; });
}

TEST_F(MessagesTest, AHeadBehindAnEmptyLineHasItsOwnTime) {
  FakeInstance instance(io_, answers(kAnswer));
  auto options = defaults();
  options.timeouts.head = 100ms;
  start(options, {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab\r\n");
    (void)co_await client.read_until("hello");
    client.received.clear();
    // Longer than timeouts.head: another connection's head is given up meanwhile.
    Peer later = co_await connect();
    (void)co_await later.send("GET / HT");
    (void)co_await later.read_until("\r\n\r\n");
    EXPECT_TRUE(later.received.starts_with("HTTP/1.1 408 ")) << later.received;
    (void)co_await client.send("GET /x HT");
    net::Timer pause(client.socket().get_executor(), 20ms);
    (void)co_await pause.async_wait(net::kTuple);
    (void)co_await client.send("TP/1.1\r\nHost: a\r\n\r\n");
    (void)co_await client.read_until("hello");
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 ")) << client.received;
  }([this] { return connect(); }));
}

TEST_F(MessagesTest, WhoWaitsForLeaveToSendIsNotLate) {
  // The instance takes its time, until after another client's body was given up as stalled.
  net::Timer* thinking = nullptr;
  FakeInstance instance(io_, [&thinking](Peer& peer) -> net::Awaitable<void> {
    bool going_on = co_await peer.read_until("\r\n\r\n");
    while (going_on && peer.received.find("100-continue") != std::string::npos) {
      net::Timer pause(peer.socket().get_executor(), 10s);
      thinking = &pause;
      (void)co_await pause.async_wait(net::kTuple);
      thinking = nullptr;
      (void)co_await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
      going_on = co_await peer.read_until("body!");
      (void)co_await peer.send(kAnswer);
      peer.received.clear();
      if (going_on) {
        going_on = co_await peer.read_until("\r\n\r\n");
      }
    }
    co_await peer.read_all();
  });
  auto options = defaults();
  options.timeouts.body = 100ms;
  start(options, {instance.endpoint()});
  run([](auto connect, net::Timer** thought) -> net::Awaitable<void> {
    const std::string head = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n";
    Peer client = co_await connect();
    (void)co_await client.send(head + "Expect: 100-continue\r\n\r\n");
    Peer later = co_await connect();
    (void)co_await later.send(head + "\r\nb");
    (void)co_await later.read_until("\r\n\r\n");
    EXPECT_TRUE(later.received.starts_with("HTTP/1.1 408 ")) << later.received;
    if (*thought != nullptr) {
      (*thought)->cancel();
    }
    (void)co_await client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 100 ")) << client.received;
    (void)co_await client.send("body!");
    (void)co_await client.read_until("hello");
    EXPECT_NE(client.received.find("HTTP/1.1 200 "), std::string::npos) << client.received;
    // From the 100 on the time for a body runs.
    client.received.clear();
    (void)co_await client.send(head + "Expect: 100-continue\r\n\r\n");
    while (*thought == nullptr) {
      net::Timer pause(client.socket().get_executor(), 1ms);
      (void)co_await pause.async_wait(net::kTuple);
    }
    (*thought)->cancel();
    (void)co_await client.read_until("http_request_error");
    EXPECT_NE(client.received.find("HTTP/1.1 408 "), std::string::npos) << client.received;
  }([this] { return connect(); }, &thinking));
}

TEST_F(MessagesTest, AnOldClientLearnsThatItStaysBehindAnErrorOfOurs) {
  FakeInstance gone(io_, answers(kAnswer));
  const auto endpoint = gone.endpoint();
  gone.close();
  start(defaults(), {endpoint});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 2; ++i) {
      client.received.clear();
      (void)co_await client.send("GET /x HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      (void)co_await client.read_until("127.0.0.1");
      EXPECT_TRUE(client.received.starts_with("HTTP/1.1 503 ")) << client.received;
      EXPECT_NE(client.received.find("\r\nConnection: keep-alive\r\n"), std::string::npos);
    }
  }([this] { return connect(); }));
}

TEST_F(MessagesTest, APutWhoseBodyIsStillComingIsRepeatedOnAnEarly503) {
  for (const bool some_came : {false, true}) {
    std::string whole;
    int asked = 0;
    const auto script = [&](Peer& peer) -> net::Awaitable<void> {
      const std::string begun = some_came ? "first " : "\r\n\r\n";
      (void)co_await peer.read_until(begun);
      if (++asked == 1) {
        (void)co_await peer.send("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n");
        co_await peer.read_all();
        co_return;
      }
      (void)co_await peer.read_until("second");
      whole = peer.received;
      (void)co_await peer.send(kAnswer);
      co_await peer.read_all();
    };
    FakeInstance one(io_, script);
    FakeInstance two(io_, script);
    auto options = defaults();
    options.retry.attempts = 1;
    start(options, {one.endpoint(), two.endpoint()});
    run([](auto connect, const int* tries, bool some) -> net::Awaitable<void> {
      Peer client = co_await connect();
      (void)co_await client.send("PUT /x HTTP/1.1\r\nHost: a\r\nContent-Length: 12\r\n\r\n");
      if (some) {
        (void)co_await client.send("first ");
      }
      while (*tries < 2) {
        net::Timer pause(client.socket().get_executor(), 1ms);
        (void)co_await pause.async_wait(net::kTuple);
      }
      const std::string rest = some ? "second" : "first second";
      (void)co_await client.send(rest);
      (void)co_await client.read_until("hello");
      EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 ")) << client.received;
    }([this] { return connect(); }, &asked, some_came));
    EXPECT_TRUE(whole.ends_with("\r\n\r\nfirst second")) << whole;
    TearDown();
  }
}

TEST_F(MessagesTest, ADrainLosesNoAnswerToAClientThatPipelines) {
  const std::string body(400000, 'x');
  net::Timer* holding = nullptr;
  FakeInstance instance(io_, [&](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    net::Timer pause(peer.socket().get_executor(), 10s);
    holding = &pause;
    (void)co_await pause.async_wait(net::kTuple);
    (void)co_await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n" + body);
    co_await peer.read_all();
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect, net::Timer** held, Proxy* proxy) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    while (*held == nullptr) {
      net::Timer pause(client.socket().get_executor(), 1ms);
      (void)co_await pause.async_wait(net::kTuple);
    }
    proxy->begin_drain([] {});
    (*held)->cancel();
    (void)co_await client.read_until("\r\n\r\n");
    EXPECT_NE(client.received.find("Connection: close"), std::string::npos);
    // It reads slowly and has not seen that yet: its next requests are on their way.
    for (int i = 0; i < 20; ++i) {
      (void)co_await client.send(kGet);
      net::Timer pause(client.socket().get_executor(), 2ms);
      (void)co_await pause.async_wait(net::kTuple);
    }
    co_await client.read_all();
    EXPECT_FALSE(client.was_reset);
    EXPECT_EQ(client.received.size() - client.received.find("\r\n\r\n") - 4, 400000U);
  }([this] { return connect(); }, &holding, proxy_.get()));
}

TEST_F(MessagesTest, A101ToWhatWasNotOfferedIsNoAnswer) {
  FakeInstance instance(io_, answers("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\n"
                                     "Upgrade: websocket, evil\r\n\r\n"));
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kUpgrade);
    (void)co_await client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 502 ")) << client.received;
  }([this] { return connect(); }));
}

TEST_F(MessagesTest, TheLastHopOfTraceAndOptionsIsAnsweredHere) {
  FakeInstance instance(io_, answers(kAnswer));
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    const std::string rest = " HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n";
    for (int i = 0; i < 2; ++i) {  // the first request of a connection, and a later one
      client.received.clear();
      (void)co_await client.send("TRACE /x" + rest);
      (void)co_await client.read_until("Max-Forwards: 0\r\n\r\n");
      EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 OK\r\n")) << client.received;
      EXPECT_NE(client.received.find("message/http"), std::string::npos);
      EXPECT_NE(client.received.find("\r\nDate: "), std::string::npos);
      EXPECT_TRUE(client.received.ends_with("\r\n\r\nTRACE /x" + rest)) << client.received;
      client.received.clear();
      (void)co_await client.send("OPTIONS *" + rest);
      (void)co_await client.read_until("\r\n\r\n");
      EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"));
    }
  }([this] { return connect(); }));
  EXPECT_TRUE(instance.peers.empty()) << "no instance heard of it";
}

}  // namespace
}  // namespace pilotfish::proxy::testing
