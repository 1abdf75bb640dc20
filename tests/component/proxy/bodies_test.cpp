// Large bodies, which go through pipes: whole, cut, repeated, and what stands behind them.
#include <csignal>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 4711;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return bytes;
}

const std::vector<std::size_t> kSizes{15000, 16384, 32768, 65536, 65537, 300000, 3UL << 20};

std::string sized(const std::string& body) {
  return "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
}

std::string put(const char* method, const std::string& body) {
  return std::string(method) +
         " /x HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
         body;
}

/// Reads one message from `at` on: its head and `size` bytes of body.
net::Awaitable<std::string> body_of(Peer* peer, std::size_t size) {
  const bool head = co_await peer->read_until("\r\n\r\n");
  if (!head) {
    co_return "no head";
  }
  const auto at = peer->received.find("\r\n\r\n") + 4;
  (void)co_await peer->read_to(at + size);
  std::string body = peer->received.substr(at, size);
  peer->received.erase(0, at + size);
  co_return body;
}

class BodiesTest : public ProxyTest {
 protected:
  BodiesTest() { (void)std::signal(SIGPIPE, SIG_IGN); }  // as the program does

  double bytes(const std::string& direction) {
    std::array<metrics::Store*, 1> stores{&store_};
    const auto text = metrics::expose(stores, Clock::now());
    const std::string key =
        "pilotfish_upstream_bytes_total{upstream=\"u\",direction=\"" + direction + "\"} ";
    const auto at = text.find(key);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + key.size()));
  }
};

/// Answers the n-th request with the n-th size.
net::Awaitable<void> answer_sizes(Peer* peer) {
  for (const auto size : kSizes) {
    const bool head = co_await peer->read_until("\r\n\r\n");
    if (!head) {
      co_return;
    }
    peer->received.erase(0, peer->received.find("\r\n\r\n") + 4);
    (void)co_await peer->send(sized(pattern(size)));
  }
}

TEST_F(BodiesTest, AnswersOfEverySizeArriveAsTheyWereOnOneConnection) {
  for (const std::uint32_t pipes : {64U, 0U}) {
    shared_.max_pipes = pipes;
    FakeInstance instance(io_, [](Peer& peer) { return answer_sizes(&peer); });
    start(defaults(), {instance.endpoint()});
    const double before = std::max(0.0, bytes("received"));
    run([](auto connect) -> net::Awaitable<void> {
      Peer client = co_await connect();
      for (const auto size : kSizes) {
        (void)co_await client.send(kGet);
        const auto body = co_await body_of(&client, size);
        EXPECT_TRUE(body == pattern(size)) << size;
        EXPECT_EQ(client.received, "") << "bytes behind a body of " << size;
      }
    }([this] { return connect(); }));
    double expected = 0;
    for (const auto size : kSizes) {
      expected += static_cast<double>(sized(pattern(size)).size());
    }
    EXPECT_EQ(bytes("received") - before, expected);
    EXPECT_EQ(instance.peers.size(), 1U) << "its connection is kept";
    TearDown();
  }
}

TEST_F(BodiesTest, ABodyThatTheCloseEndsArrivesWhole) {
  const auto body = pattern(2UL << 20);
  FakeInstance instance(io_, [&body](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send("HTTP/1.1 200 OK\r\n\r\n" + body);
    peer.close();
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect, const std::string* expected) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send("GET /x HTTP/1.0\r\n\r\n");
    co_await client.read_all();
    EXPECT_TRUE(client.received.ends_with(*expected));
    EXPECT_FALSE(client.was_reset);
  }([this] { return connect(); }, &body));
}

TEST_F(BodiesTest, AnAnswerCutAnywhereIsAVisibleCutBehindWhatCame) {
  const auto answer = sized(pattern(1UL << 20));
  std::size_t cut = 0;
  FakeInstance instance(io_, [&cut, &answer](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    (void)co_await peer.send(answer.substr(0, cut));
    peer.close();
  });
  auto options = defaults();
  options.cluster.eject.consecutive = 0;
  start(options, {instance.endpoint()});
  run([](auto connect, std::size_t* at, const std::string* whole) -> net::Awaitable<void> {
    for (const std::size_t size : {16384UL, 16385UL, 40000UL, 65536UL, 200000UL, 1000000UL}) {
      *at = size;
      Peer client = co_await connect();
      (void)co_await client.send(kGet);
      co_await client.read_all();
      const auto head = client.received.find("\r\n\r\n") + 4;
      const auto expected = whole->substr(whole->find("\r\n\r\n") + 4);
      EXPECT_LT(client.received.size() - head, expected.size());
      EXPECT_GT(client.received.size(), size - 1000) << "what came before the cut";
      EXPECT_TRUE(expected.starts_with(client.received.substr(head)));
    }
  }([this] { return connect(); }, &cut, &answer));
}

TEST_F(BodiesTest, BytesBehindABodyAreNotPassedOn) {
  const auto body = pattern(200000);
  FakeInstance instance(io_, [&body](Peer& peer) -> net::Awaitable<void> {
    for (;;) {
      const bool head = co_await peer.read_until("\r\n\r\n");
      if (!head) {
        co_return;
      }
      peer.received.clear();
      (void)co_await peer.send(sized(body) + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil");
    }
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect, const std::string* expected) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 3; ++i) {
      (void)co_await client.send(kGet);
      const auto got = co_await body_of(&client, expected->size());
      EXPECT_TRUE(got == *expected);
      EXPECT_EQ(client.received, "");
    }
  }([this] { return connect(); }, &body));
  EXPECT_EQ(instance.peers.size(), 3U) << "a connection with a byte too many is closed";
}

TEST_F(BodiesTest, UploadsArriveAsTheyWereAndARequestBehindThemIsServed) {
  std::vector<std::string> got;
  FakeInstance instance(io_, [&got](Peer& peer) -> net::Awaitable<void> {
    const std::string ok = sized("ok");
    const std::string behind = sized("behind");
    for (std::size_t i = 0;; ++i) {
      auto body = co_await body_of(&peer, kSizes[i % kSizes.size()]);
      if (body == "no head") {
        co_return;
      }
      got.push_back(std::move(body));
      (void)co_await peer.send(ok);
      (void)co_await body_of(&peer, 0);  // the one behind it
      (void)co_await peer.send(behind);
    }
  });
  start(defaults(), {instance.endpoint()});
  for (const char* method : {"POST", "PUT"}) {
    got.clear();
    run([](auto connect, const char* name) -> net::Awaitable<void> {
      Peer client = co_await connect();
      for (const auto size : kSizes) {
        net::asio::co_spawn(client.socket().get_executor(),
                            client.send(put(name, pattern(size)) + kGet), net::asio::detached);
        const auto first = co_await body_of(&client, 2);
        EXPECT_EQ(first, "ok");
        const auto second = co_await body_of(&client, 6);
        EXPECT_EQ(second, "behind");
      }
    }([this] { return connect(); }, method));
    ASSERT_EQ(got.size(), kSizes.size());
    for (std::size_t i = 0; i < kSizes.size(); ++i) {
      EXPECT_TRUE(got[i] == pattern(kSizes[i])) << method << " of " << kSizes[i];
    }
  }
}

TEST_F(BodiesTest, APutOf60KiBIsRepeatedWholeAndAPostIsNot) {
  int broken = 0;
  std::vector<std::string> got;
  FakeInstance breaks(io_, [&broken](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_to(50000);
    ++broken;
    peer.close();
  });
  FakeInstance works(io_, [&got](Peer& peer) -> net::Awaitable<void> {
    const std::string ok = sized("ok");
    for (;;) {
      auto body = co_await body_of(&peer, 60000);
      if (body == "no head") {
        co_return;
      }
      got.push_back(std::move(body));
      (void)co_await peer.send(ok);
    }
  });
  auto options = defaults();
  options.retry.attempts = 2;
  options.cluster.algorithm = balancer::Algorithm::kRoundRobin;
  options.cluster.eject.consecutive = 0;
  start(options, {breaks.endpoint(), works.endpoint()});
  for (const char* method : {"PUT", "POST"}) {
    broken = 0;
    got.clear();
    int failed = 0;
    run([](auto connect, const char* name, int* errors) -> net::Awaitable<void> {
      for (int i = 0; i < 3; ++i) {  // as many retries a second are always allowed
        Peer client = co_await connect();
        const std::string request = put(name, pattern(60000));
        (void)co_await client.send(request);
        (void)co_await client.read_until("\r\n\r\n");
        *errors += client.received.starts_with("HTTP/1.1 200 ") ? 0 : 1;
      }
    }([this] { return connect(); }, method, &failed));
    EXPECT_GT(broken, 0);
    EXPECT_EQ(failed, method[1] == 'U' ? 0 : broken);
    for (const auto& body : got) {
      EXPECT_TRUE(body == pattern(60000));
    }
  }
}

}  // namespace
}  // namespace pilotfish::proxy::testing
