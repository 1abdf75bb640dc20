#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

UpstreamOptions tcp() {
  UpstreamOptions options;
  options.name = "u";
  options.protocol = Protocol::kTcp;
  return options;
}

TEST_F(ProxyTest, HalfCloseGoesBothWays) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    co_await peer.read_all();  // to the client's FIN
    (void)co_await peer.send("got " + peer.received);
    peer.shutdown_send();
  });
  start(tcp(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send("ping");
    client.shutdown_send();
    co_await client.read_all();
    EXPECT_EQ(client.received, "got ping");
    EXPECT_FALSE(client.was_reset);
  }([this] { return connect(); }));
}

TEST_F(ProxyTest, BytesBehindTheUrgentMarkArriveWithoutMoreComing) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("a");
    (void)co_await peer.send("a");
    (void)co_await peer.read_until("behind");
    (void)co_await peer.send("got " + peer.received);
    co_await peer.read_all();
  });
  start(tcp(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send("a");
    (void)co_await client.read_until("a");
    const int socket = client.socket().native_handle();
    EXPECT_EQ(::send(socket, "before ", 7, 0), 7);
    EXPECT_EQ(::send(socket, "!", 1, MSG_OOB), 1);
    EXPECT_EQ(::send(socket, "behind", 6, 0), 6);
    const bool got = co_await client.read_until("got abefore behind");
    EXPECT_TRUE(got);
  }([this] { return connect(); }));
}

TEST_F(ProxyTest, ARelayThatTheEndOfADrainCutsIsResetOnBothSides) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.send("half");
    co_await peer.read_all();
  });
  start(tcp(), {instance.endpoint()});
  run([](auto connect, Proxy* proxy) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.read_until("half");
    proxy->stop();
    co_await client.read_all();
    EXPECT_TRUE(client.was_reset);
  }([this] { return connect(); }, proxy_.get()));
  until([&instance] { return instance.peers.back().was_reset; });
}

TEST_F(ProxyTest, AConnectionWithoutInstanceIsReset) {
  start(tcp(), {});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    co_await client.read_all();
    EXPECT_TRUE(client.was_reset);
  }([this] { return connect(); }));
}

TEST_F(ProxyTest, AnIdleRelayEndsAfterItsTimeout) {
  FakeInstance instance(io_, [](Peer& peer) -> net::Awaitable<void> { co_await peer.read_all(); });
  auto options = tcp();
  options.idle_timeout = 100ms;
  start(options, {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.send("x");
    co_await client.read_all();
  }([this] { return connect(); }));
}

TEST_F(ProxyTest, AReaderThatStallsHoldsTheSenderBack) {
  std::size_t sent = 0;
  FakeInstance instance(io_, [&sent](Peer& peer) -> net::Awaitable<void> {
    const std::string block(65536, 'x');
    for (int i = 0; i < 1024; ++i) {
      const bool more = co_await peer.send(block);
      if (!more) {
        co_return;
      }
      sent += block.size();
    }
    peer.shutdown_send();
  });
  start(tcp(), {instance.endpoint()});
  run([](auto connect, std::size_t* sent_bytes) -> net::Awaitable<void> {
    Peer client = co_await connect();
    (void)co_await client.read_to(1);
    net::Timer pause(client.socket().get_executor(), 200ms);
    (void)co_await pause.async_wait(net::kTuple);
    // What lies between is the kernel's socket buffers and one block, not 64 MiB.
    EXPECT_LT(*sent_bytes, 40UL * 1024 * 1024);
    co_await client.read_all();
    EXPECT_EQ(client.received.size(), 1024UL * 65536);
  }([this] { return connect(); }, &sent));
}

}  // namespace
}  // namespace pilotfish::proxy::testing
