// What a switched connection passes on besides its bytes: how it ends, and what is written of it.
#include <optional>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

const std::string kUpgrade =
    "GET /chat?room=1 HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";
const std::string kSwitch =
    "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n";

class TunnelLog final : public AccessLog {
 public:
  void log(const AccessRecord& record) override {
    lines.push_back(std::string(record.method) + " " + std::string(record.target) + " " +
                    std::to_string(record.status) + " " + std::to_string(record.bytes_in) + " " +
                    std::to_string(record.bytes_out));
  }
  std::vector<std::string> lines;
};

class Tunnels : public ProxyTest {
 protected:
  void SetUp() override { shared_.access_log = &log_; }
  void TearDown() override {
    ProxyTest::TearDown();
    shared_.access_log = nullptr;
  }
  /// Switches, says "ping" and reads to the end.
  FakeInstance::Script switches() {
    return [this](Peer& peer) -> net::Awaitable<void> {
      (void)co_await peer.read_until("\r\n\r\n");
      peer.received.clear();
      (void)co_await peer.send(kSwitch + "ping");
      co_await peer.read_all();
      ended_ = true;
    };
  }
  void open(std::optional<Peer>& client) {
    run([](auto connect, std::optional<Peer>* out) -> net::Awaitable<void> {
      Peer made = co_await connect();
      (void)co_await made.send(kUpgrade);
      const bool switched = co_await made.read_until("ping");
      EXPECT_TRUE(switched) << made.received;
      (void)co_await made.send("pong!");
      out->emplace(std::move(made));
    }([this] { return connect(); }, &client));
  }
  TunnelLog log_;
  bool ended_ = false;
};

TEST_F(Tunnels, AClientsResetReachesTheInstanceAsOne) {
  FakeInstance instance(io_, switches());
  start(defaults(), {instance.endpoint()});
  std::optional<Peer> client;
  open(client);
  until([&] { return instance.peers.front().received == "pong!"; });
  client->reset();
  until([this] { return ended_; });
  EXPECT_TRUE(instance.peers.front().was_reset) << "a FIN looks like an end";
}

TEST_F(Tunnels, AClientsResetReachesAnInstanceThatHasEndedItsDirection) {
  FakeInstance instance(io_, switches());
  start(defaults(), {instance.endpoint()});
  std::optional<Peer> client;
  open(client);
  until([&] { return instance.peers.front().received == "pong!"; });
  instance.peers.front().shutdown_send();
  run([](Peer* peer) -> net::Awaitable<void> { co_await peer->read_all(); }(&*client));
  client->reset();
  until([this] { return ended_; });
  EXPECT_TRUE(instance.peers.front().was_reset);
}

TEST_F(Tunnels, AnInstancesResetReachesTheClientAsOne) {
  FakeInstance instance(io_, switches());
  start(defaults(), {instance.endpoint()});
  std::optional<Peer> client;
  open(client);
  until([&] { return instance.peers.front().received == "pong!"; });
  instance.peers.front().reset();
  run([](Peer* peer) -> net::Awaitable<void> { co_await peer->read_all(); }(&*client));
  EXPECT_TRUE(client->was_reset);
}

TEST_F(Tunnels, AnEndReachesTheOtherSideAsAnEndAndTheAccessLineNamesTheRequest) {
  FakeInstance instance(io_, switches());
  start(defaults(), {instance.endpoint()});
  std::optional<Peer> client;
  open(client);
  client->shutdown_send();
  until([this] { return ended_; });
  EXPECT_FALSE(instance.peers.front().was_reset);
  instance.peers.front().close();
  run([](Peer* peer) -> net::Awaitable<void> { co_await peer->read_all(); }(&*client));
  EXPECT_FALSE(client->was_reset);
  until([this] { return log_.lines.size() == 1; });
  EXPECT_EQ(log_.lines.at(0), "GET /chat?room=1 101 5 4");
}

}  // namespace
}  // namespace pilotfish::proxy::testing
