// A client that leaves before its answer is whole, in every phase of its request.
#include <boost/asio/ip/udp.hpp>
#include <cerrno>
#include <list>
#include <optional>
#include <sys/socket.h>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

class ErrorLog final : public AccessLog {
 public:
  void log(const AccessRecord& record) override {
    lines.push_back(std::string(record.method) + " " + std::string(record.target) + " " +
                    std::to_string(record.status) + " " + std::string(record.error));
  }
  std::vector<std::string> lines;
};

enum class Leaves { kCloses, kResets, kHalfCloses };

class ClientGone : public ProxyTest {
 protected:
  void SetUp() override { shared_.access_log = &log_; }
  void TearDown() override {
    ProxyTest::TearDown();
    shared_.access_log = nullptr;
  }

  /// A client that is connected and has sent `bytes`.
  std::optional<Peer> caller(std::string bytes = {}) {
    std::optional<Peer> out;
    run([](auto connect, std::string first, auto* peer) -> net::Awaitable<void> {
      Peer made = co_await connect();
      peer->emplace(std::move(made));
      (void)co_await (*peer)->send(std::move(first));
    }([this] { return connect(); }, std::move(bytes), &out));
    return out;
  }
  /// Until so many requests wait for a connection, as /upstreams says it.
  void until_in_line(int count) {
    const auto text = ": " + std::to_string(count) + " requests";
    until([this, &text] {
      const auto status = proxy_->status(Clock::now());
      return status.at(0).instances.at(0).why.find(text) != std::string::npos;
    });
  }

  static void leave(Peer& client, Leaves how) {
    switch (how) {
      case Leaves::kCloses: client.close(); break;
      case Leaves::kResets: client.reset(); break;
      case Leaves::kHalfCloses: client.shutdown_send(); break;
    }
  }

  /// Answers what it is asked until it is asked for /wait, says `begin` to that and notes the end.
  FakeInstance::Script waits(std::string begin = {}) {
    return [this, begin = std::move(begin)](Peer& peer) -> net::Awaitable<void> {
      for (;;) {
        const bool head = co_await peer.read_until("\r\n\r\n");
        if (!head) {
          co_return;
        }
        if (peer.received.find("/wait") != std::string::npos) {
          break;
        }
        peer.received.clear();
        (void)co_await peer.send(kAnswer);
      }
      (void)co_await peer.send(begin);
      asked_ = true;
      co_await peer.read_all();
      ended_ = true;
    };
  }

  /// Sends `request`, leaves when the instance has it; what that came to is told at once.
  void expect_cancelled(const std::string& request, Leaves how, bool kept) {
    asked_ = false;
    ended_ = false;
    log_.lines.clear();
    std::optional<Peer> client;
    run([](auto connect, std::optional<Peer>* peer, bool before) -> net::Awaitable<void> {
      Peer made = co_await connect();
      peer->emplace(std::move(made));
      for (int i = 0; before && i < 2; ++i) {
        (*peer)->received.clear();
        (void)co_await (*peer)->send(kGet);
        (void)co_await (*peer)->read_until("hello");
      }
    }([this] { return connect(); }, &client, kept));
    log_.lines.clear();
    run([](Peer* peer, std::string bytes) -> net::Awaitable<void> {
      (void)co_await peer->send(std::move(bytes));
    }(&*client, request));
    until([this] { return asked_; });
    leave(*client, how);
    // Long before any deadline of the request.
    until([this] { return ended_ && in_flight() == 0 && log_.lines.size() == 1; });
    ASSERT_EQ(log_.lines.size(), 1U);
    EXPECT_TRUE(log_.lines[0].ends_with(" client_gone")) << log_.lines[0];
    const auto status = proxy_->status(Clock::now());
    EXPECT_EQ(status.at(0).instances.at(0).failures, 0U);
  }

  ErrorLog log_;
  bool asked_ = false;
  bool ended_ = false;
};

const std::string kWait = "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n";

TEST_F(ClientGone, EndsItsRequestAtOnceHoweverItLeaves) {
  FakeInstance instance(io_, waits());
  start(defaults(), {instance.endpoint()});
  for (const auto how : {Leaves::kCloses, Leaves::kResets, Leaves::kHalfCloses}) {
    for (const bool kept : {false, true}) {
      expect_cancelled(kWait, how, kept);
      expect_cancelled(kWait + "GET /next HTTP/1.1\r\n", how, kept);
    }
  }
}

TEST_F(ClientGone, EndsAnAnswerThatIsBeingRead) {
  FakeInstance instance(io_,
                        waits("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"));
  start(defaults(), {instance.endpoint()});
  for (const bool kept : {false, true}) {
    expect_cancelled(kWait, Leaves::kHalfCloses, kept);
  }
}

TEST_F(ClientGone, EndsAnUploadWhoseInstanceDoesNotRead) {
  FakeInstance instance(io_, waits());
  auto options = defaults();
  options.client_half_close = ClientHalfClose::kServe;
  start(options, {instance.endpoint()});
  expect_cancelled("POST /wait HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc",
                   Leaves::kResets, true);
}

TEST_F(ClientGone, IsServedAfterAHalfCloseWhereThatIsWanted) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("\r\n\r\n");
    net::Timer pause(peer.socket().get_executor(), 20ms);
    (void)co_await pause.async_wait(net::kTuple);
    (void)co_await peer.send(kAnswer);
    co_await peer.read_all();
  });
  auto options = defaults();
  options.client_half_close = ClientHalfClose::kServe;
  start(options, {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    client.shutdown_send();
    co_await client.read_all();
    EXPECT_TRUE(client.received.ends_with("hello"));
  }([this] { return connect(); }));
}

TEST_F(ClientGone, AResetCancelsWhereAHalfCloseIsServed) {
  FakeInstance instance(io_, waits());
  auto options = defaults();
  options.client_half_close = ClientHalfClose::kServe;
  start(options, {instance.endpoint()});
  expect_cancelled(kWait, Leaves::kResets, false);
  expect_cancelled(kWait, Leaves::kResets, true);
}

TEST_F(ClientGone, BytesBehindARequestAreNoEnd) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    for (int i = 0; i < 2; ++i) {
      (void)co_await peer.read_until("\r\n\r\n");
      peer.received.clear();
      net::Timer pause(peer.socket().get_executor(), 20ms);
      (void)co_await pause.async_wait(net::kTuple);
      (void)co_await peer.send(kAnswer);
    }
    co_await peer.read_all();
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send(kGet);
    net::Timer pause(client.socket().get_executor(), 5ms);
    (void)co_await pause.async_wait(net::kTuple);
    (void)co_await client.send(kGet);
    (void)co_await client.read_until("hello");
    const bool second = co_await client.read_until("hello", client.received.find("hello") + 5);
    EXPECT_TRUE(second) << client.received;
  }([this] { return connect(); }));
}

TEST_F(ClientGone, LeavesTheLineAndNoConnectionIsMadeForIt) {
  FakeInstance instance(io_, waits());
  auto options = defaults();
  options.limits.connections = 1;
  options.connect_timeout = 10s;
  start(options, {instance.endpoint()});
  auto holder = caller(kWait);
  auto other = caller();
  until([this] { return asked_; });
  for (const auto how : {Leaves::kResets, Leaves::kCloses}) {
    run([](Peer* peer) -> net::Awaitable<void> { (void)co_await peer->send(kGet); }(&*other));
    until_in_line(1);
    leave(*other, how);
    until_in_line(0);
    other = caller();
  }
  holder->close();
  until([this] { return in_flight() == 0; });
  EXPECT_EQ(instance.peers.size(), 1U);
}

TEST_F(ClientGone, OfATcpUpstreamLeavesTheLineByAReset) {
  FakeInstance instance(io_, [this](Peer& peer) -> net::Awaitable<void> {
    asked_ = true;
    co_await peer.read_all();
    peer.close();
  });
  auto options = defaults();
  options.protocol = Protocol::kTcp;
  options.limits.connections = 1;
  options.connect_timeout = 10s;
  start(options, {instance.endpoint()});
  auto holder = caller();
  auto other = caller();
  until_in_line(1);
  other->reset();
  until_in_line(0);
  holder->close();
  until([this] { return in_flight() == 0; });
  EXPECT_EQ(instance.peers.size(), 1U);
}

/// An address whose connections are begun and never accepted: its queue is full.
class SilentAddress {
 public:
  explicit SilentAddress(net::Executor executor) : listener_(executor, net::asio::ip::tcp::v4()) {
    listener_.bind({net::asio::ip::address_v4::loopback(), 0});
    listener_.listen(0);
    for (int i = 0; i < 4; ++i) {
      auto& socket = queue_.emplace_back(executor, net::asio::ip::tcp::v4());
      socket.native_non_blocking(true);
      const auto there = listener_.local_endpoint();
      const int begun =
          ::connect(socket.native_handle(), there.data(), static_cast<socklen_t>(there.size()));
      EXPECT_TRUE(begun == 0 || errno == EINPROGRESS) << errno;
    }
  }
  [[nodiscard]] Endpoint endpoint() const { return net::from_asio(listener_.local_endpoint()); }

 private:
  net::TcpAcceptor listener_;
  std::list<net::TcpSocket> queue_;
};

TEST_F(ClientGone, EndsAnAttemptToConnect) {
  const SilentAddress nowhere(io_.get_executor());
  auto options = defaults();
  options.connect_timeout = 30s;
  for (const auto protocol : {Protocol::kHttp, Protocol::kTcp}) {
    options.protocol = protocol;
    log_.lines.clear();
    start(options, {nowhere.endpoint()});
    auto client = caller(kGet);
    until([this] { return in_flight() == 1; });
    leave(*client, Leaves::kResets);
    until([this] { return in_flight() == 0 && log_.lines.size() == 1; });
    EXPECT_TRUE(log_.lines.at(0).ends_with(" client_gone")) << log_.lines.at(0);
    EXPECT_EQ(proxy_->status(Clock::now()).at(0).instances.at(0).failures, 0U);
    TearDown();
    SetUp();
  }
}

TEST_F(ClientGone, EndsItsWaitForALookup) {
  // Bound, and silent: each lookup takes its whole time.
  net::asio::ip::udp::socket silent(io_.get_executor(), {net::asio::ip::address_v4::loopback(), 0});
  auto options = defaults();
  const auto server = silent.local_endpoint();
  options.source = resolver::SrvSource{
      {"_x._tcp.example"}, {*Endpoint::parse("127.0.0.1:" + std::to_string(server.port()))}};
  options.lookup.timeout = 30s;
  for (const auto protocol : {Protocol::kHttp, Protocol::kTcp}) {
    options.protocol = protocol;
    log_.lines.clear();
    start_with_source(options);
    auto client = caller(kGet);
    until([this] { return client_connections() == 1; });
    leave(*client, Leaves::kResets);
    until([this] { return log_.lines.size() == 1 && client_connections() == 0; });
    EXPECT_TRUE(log_.lines.at(0).ends_with(" client_gone")) << log_.lines.at(0);
    TearDown();
    SetUp();
  }
}

TEST_F(ClientGone, IsNotSaidOfWhatTheEndOfADrainCuts) {
  FakeInstance instance(io_, waits());
  for (const auto protocol : {Protocol::kHttp, Protocol::kTcp}) {
    auto options = defaults();
    options.protocol = protocol;
    asked_ = false;
    log_.lines.clear();
    start(options, {instance.endpoint()});
    auto client = caller(kWait);
    until([this] { return asked_; });
    proxy_->stop();
    until([this] { return log_.lines.size() == 1; });
    EXPECT_EQ(log_.lines.at(0).find("client_gone"), std::string::npos) << log_.lines.at(0);
    if (protocol == Protocol::kHttp) {
      EXPECT_TRUE(log_.lines.at(0).ends_with(" drain_ended")) << log_.lines.at(0);
    }
    TearDown();
    SetUp();
  }
}

}  // namespace
}  // namespace pilotfish::proxy::testing
