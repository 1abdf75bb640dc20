// What the short way of the usual request (proxy/http_quick.cpp) must not do otherwise.
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/// Back once the other side's kernel has it, without letting the proxy run: on a busy machine bytes
/// take their time even on loopback, and what two peers send is to be there at once.
void send_now(Peer& peer, std::string_view bytes, int flags = 0) {
  const int descriptor = peer.socket().native_handle();
  ASSERT_EQ(::send(descriptor, bytes.data(), bytes.size(), flags),
            static_cast<ssize_t>(bytes.size()));
  int unacknowledged = 1;
  for (int i = 0; i < 10000 && unacknowledged != 0; ++i) {
    ASSERT_EQ(::ioctl(descriptor, SIOCOUTQ, &unacknowledged), 0);
    ::poll(nullptr, 0, unacknowledged == 0 ? 0 : 1);
  }
  ASSERT_EQ(unacknowledged, 0);
}

class KeepingLog final : public AccessLog {
 public:
  void log(const AccessRecord& record) override {
    lines.push_back(std::string(record.method) + " " + std::string(record.target) + " " +
                    std::to_string(record.status));
  }
  std::vector<std::string> lines;
};

class HttpQuick : public ProxyTest {
 protected:
  void TearDown() override {
    ProxyTest::TearDown();
    shared_.access_log = nullptr;
  }
  KeepingLog log_;
};

TEST_F(HttpQuick, StrayBytesThatComeTogetherWithTheNextRequestNeverAnswerIt) {
  FakeInstance instance(io_, answers(kAnswer));
  start(defaults(), {instance.endpoint()});
  run([](auto connect, FakeInstance* asked) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 3; ++i) {
      client.received.clear();
      (void)co_await client.send(kGet);
      (void)co_await client.read_until("hello");
    }
    client.received.clear();
    send_now(client, kGet);
    send_now(asked->peers.back(), "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nEVIL");
    (void)co_await client.read_until("\r\n\r\n");
    (void)co_await client.read_to(client.received.find("\r\n\r\n") + 8);
    EXPECT_EQ(client.received.find("EVIL"), std::string::npos);
  }([this] { return connect(); }, &instance));
  EXPECT_EQ(instance.peers.size(), 2U);
}

TEST_F(HttpQuick, AHeadThatIsTooLargeIsNotTakenForTheLastRequest) {
  FakeInstance instance(io_, answers("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"));
  shared_.access_log = &log_;
  auto options = defaults();
  options.limits.head = 1000;
  start(options, {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 2; ++i) {
      client.received.clear();
      (void)co_await client.send("HEAD /small HTTP/1.1\r\nHost: a\r\n\r\n");
      (void)co_await client.read_until("\r\n\r\n");
    }
    client.received.clear();
    (void)co_await client.send("GET /large HTTP/1.1\r\nHost: a\r\nA: " + std::string(2000, 'a') +
                               "\r\n\r\n");
    co_await client.read_all();
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 431 "));
    EXPECT_FALSE(client.received.ends_with("\r\n\r\n")) << "an answer to HEAD, which it was not";
  }([this] { return connect(); }));
  ASSERT_EQ(log_.lines.size(), 3U);
  EXPECT_EQ(log_.lines[2], "  431");
}

TEST_F(HttpQuick, BytesBehindTcpsUrgentMarkAreNotLeftLying) {
  FakeInstance instance(io_, answers(kAnswer));
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 2; ++i) {
      client.received.clear();
      (void)co_await client.send(kGet);
      (void)co_await client.read_until("hello");
    }
    client.received.clear();
    send_now(client, "GET / HT");
    send_now(client, "!", MSG_OOB);
    send_now(client, "TP/1.1\r\nHost: a\r\n\r\n");
    const bool got = co_await client.read_until("hello");
    EXPECT_TRUE(got);
  }([this] { return connect(); }));
}

}  // namespace
}  // namespace pilotfish::proxy::testing
