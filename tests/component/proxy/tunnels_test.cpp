// What a switched connection passes on besides its bytes: how it ends, and what is written of it.
#include <array>
#include <list>
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

TEST_F(Tunnels, WeighOnTunnelsAndNotOnRequests) {
  // Switches where it is asked to, answers the rest.
  std::array<int, 2> answered{};
  std::array<int, 2> switched{};
  const auto script = [&](std::size_t me) -> FakeInstance::Script {
    return [&, me](Peer& peer) -> net::Awaitable<void> {
      for (;;) {
        const bool head = co_await peer.read_until("\r\n\r\n");
        if (!head) {
          co_return;
        }
        const bool upgrade = peer.received.find("Upgrade") != std::string::npos;
        peer.received.clear();
        ++(upgrade ? switched : answered)[me];
        std::string answer = upgrade ? kSwitch : "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        answer += upgrade ? "ping" : "";
        (void)co_await peer.send(std::move(answer));
      }
    };
  };
  FakeInstance one(io_, script(0));
  FakeInstance two(io_, script(1));
  auto options = defaults();
  options.cluster.algorithm = balancer::Algorithm::kLeastRequest;
  start(options, {one.endpoint(), two.endpoint()});
  std::list<std::optional<Peer>> clients(4);
  open(clients.front());
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 100; ++i) {
      client.received.clear();
      (void)co_await client.send(kGet);
      (void)co_await client.read_until("\r\n\r\nok");
    }
  }([this] { return connect(); }));
  EXPECT_GT(answered[0], 25);
  EXPECT_GT(answered[1], 25);
  for (auto client = std::next(clients.begin()); client != clients.end(); ++client) {
    open(*client);
  }
  EXPECT_EQ(switched[0], 2);
  EXPECT_EQ(switched[1], 2);
  for (auto& client : clients) {
    client->reset();
  }
}

}  // namespace
}  // namespace pilotfish::proxy::testing
