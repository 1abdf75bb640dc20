// Who gets a connection, when, and what of a request may be sent again.
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <linux/filter.h>
#include <net/if.h>
#include <optional>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

const std::string kAnswer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

std::string get(const std::string& target) {
  return "GET " + target + " HTTP/1.1\r\nHost: a\r\n\r\n";
}

class Connections : public ProxyTest {
 protected:
  /// Answers one request after another, slowly, and notes what it was asked.
  FakeInstance::Script notes() {
    return [this](Peer& peer) -> net::Awaitable<void> {
      for (;;) {
        const bool head = co_await peer.read_until("\r\n\r\n");
        if (!head) {
          co_return;
        }
        asked_.push_back(peer.received.substr(0, peer.received.find(" HTTP")));
        peer.received.erase(0, peer.received.find("\r\n\r\n") + 4);
        net::Timer pause(peer.socket().get_executor(), 2ms);
        (void)co_await pause.async_wait(net::kTuple);
        (void)co_await peer.send(kAnswer);
      }
    };
  }
  std::vector<std::string> asked_;
};

TEST_F(Connections, APipeliningClientDoesNotOvertakeWhoWaits) {
  FakeInstance instance(io_, notes());
  auto options = defaults();
  options.limits.connections = 1;
  start(options, {instance.endpoint()});
  run([](auto connect, std::vector<std::string>* asked) -> net::Awaitable<void> {
    Peer greedy = co_await connect();
    std::string many;
    for (int i = 0; i < 40; ++i) {
      many += get("/many");
    }
    (void)co_await greedy.send(many);
    (void)co_await greedy.read_until("hello");
    Peer other = co_await connect();
    (void)co_await other.send(get("/one"));
    (void)co_await other.read_until("hello");
    EXPECT_LE(asked->size(), 10U) << "it waited for the pipeline's end";
    std::size_t at = 0;
    for (int i = 0; i < 40; ++i) {
      (void)co_await greedy.read_until("hello", at);
      at = greedy.received.find("hello", at) + 5;
    }
  }([this] { return connect(); }, &asked_));
  EXPECT_EQ(asked_.size(), 41U);
  EXPECT_EQ(instance.peers.size(), 1U) << "kept connections are handed on, not made anew";
}

TEST_F(Connections, WhoCameFirstIsServedFirst) {
  FakeInstance instance(io_, notes());
  auto options = defaults();
  options.limits.connections = 2;
  start(options, {instance.endpoint()});
  std::list<Peer> clients;
  run([](auto connect, std::list<Peer>* all) -> net::Awaitable<void> {
    for (int i = 0; i < 12; ++i) {
      Peer made = co_await connect();
      all->push_back(std::move(made));
    }
    int number = 10;
    for (auto& client : *all) {
      (void)co_await client.send(get("/" + std::to_string(number++)));
      net::Timer pause(client.socket().get_executor(), 100us);
      (void)co_await pause.async_wait(net::kTuple);
    }
    for (auto& client : *all) {
      (void)co_await client.read_until("hello");
    }
  }([this] { return connect(); }, &clients));
  EXPECT_EQ(asked_.size(), 12U);
  for (std::size_t i = 0; i + 2 < asked_.size(); ++i) {
    EXPECT_LT(asked_[i], asked_[i + 2]) << "two at a time, in order";
  }
}

TEST_F(Connections, AnotherInstancesTurnInTheLineGetsItsSlot) {
  FakeInstance one(io_, notes());
  FakeInstance two(io_, notes());
  auto options = defaults();
  options.limits.connections = 1;
  options.cluster.algorithm = balancer::Algorithm::kRoundRobin;
  start(options, {one.endpoint(), two.endpoint()});
  std::list<Peer> clients;
  run([](auto connect, std::list<Peer>* all) -> net::Awaitable<void> {
    for (int i = 0; i < 8; ++i) {
      Peer made = co_await connect();
      all->push_back(std::move(made));
      (void)co_await all->back().send(get("/x"));
    }
    for (auto& client : *all) {
      const bool answered = co_await client.read_until("hello");
      EXPECT_TRUE(answered);
    }
  }([this] { return connect(); }, &clients));
  EXPECT_EQ(asked_.size(), 8U);
}

TEST_F(Connections, APauseBetweenTriesHoldsNoPlace) {
  // One of two refuses: its requests wait for retry.backoff, and must not keep others waiting.
  FakeInstance instance(io_, notes());
  net::TcpAcceptor closed(io_.get_executor(), {net::asio::ip::address_v4::loopback(), 0});
  const auto refusing = net::from_asio(closed.local_endpoint());
  closed.close();
  auto options = defaults();
  options.limits.connections = 1;
  options.connect_timeout = 2s;
  options.retry.attempts = 3;
  options.retry.backoff = 10s;
  options.request_timeout = 10s;
  options.cluster.eject.consecutive = 1000;
  start(options, {refusing});
  std::list<Peer> clients;
  run([](auto connect, std::list<Peer>* all) -> net::Awaitable<void> {
    Peer made = co_await connect();
    all->push_back(std::move(made));
    (void)co_await all->back().send(get("/first"));
  }([this] { return connect(); }, &clients));
  until([this] {
    return in_flight() == 0 && proxy_->status(Clock::now()).at(0).instances.at(0).failures > 0;
  });
  Proxy::Update update;
  options.source = resolver::StaticSource{{{.endpoint = instance.endpoint(), .tags = {}}}};
  update.upstreams = {options};
  update.max_clients = 100;
  proxy_->apply(update, {{"u", -1, false, ""}});
  run([](auto connect) -> net::Awaitable<void> {
    Peer other = co_await connect();
    (void)co_await other.send(get("/other"));
    const bool answered = co_await other.read_until("hello");
    EXPECT_TRUE(answered) << other.received;
  }([this] { return connect(); }));
  clients.clear();
}

TEST_F(Connections, OneThatMeetsItselfIsRefused) {
  // Connections take the even ports, so that to a free one of them the kernel gives, sooner or
  // later, a connection from the very same port.
  net::asio::ip::tcp::endpoint free(net::asio::ip::address_v4::loopback(), 40000);
  net::ErrorCode taken = net::asio::error::address_in_use;
  while (taken) {
    free.port(static_cast<std::uint16_t>(free.port() + 2));
    net::TcpSocket probe(io_.get_executor(), free.protocol());
    probe.bind(free, taken);
  }
  const auto target = net::from_asio(free);
  constexpr int kAllPorts = 15000;
  int refused = 0;
  run([](net::Executor executor, Endpoint to, int* count) -> net::Awaitable<void> {
    for (int i = 0; i < kAllPorts; ++i) {
      net::TcpStream stream(executor);
      const auto connected = co_await stream.connect(to);
      *count += std::get<0>(connected) == boost::system::errc::connection_refused ? 1 : 0;
    }
  }(io_.get_executor(), target, &refused));
  EXPECT_EQ(refused, kAllPorts);
}

/// A network of its own, with a loopback and few local ports. Needs the right to make one.
class FewPorts {
 public:
  FewPorts()
      : home_(::open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC)),
        made_(::unshare(CLONE_NEWNET) == 0) {
    const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    ifreq loopback{};
    std::strncpy(loopback.ifr_name, "lo", IFNAMSIZ - 1);
    loopback.ifr_flags = IFF_UP;
    made_ = made_ && ::ioctl(socket, SIOCSIFFLAGS, &loopback) == 0;
    ::close(socket);
    if (made_) {
      std::ofstream("/proc/sys/net/ipv4/ip_local_port_range") << "40000 40015\n";
    }
  }
  ~FewPorts() {
    EXPECT_TRUE(::setns(home_, CLONE_NEWNET) == 0 || !made_);
    ::close(home_);
  }
  FewPorts(const FewPorts&) = delete;
  FewPorts& operator=(const FewPorts&) = delete;
  [[nodiscard]] bool made() const { return made_; }

 private:
  int home_;
  bool made_;
};

TEST_F(Connections, WithoutAFreeLocalPortNoInstanceIsBlamed) {
  const FewPorts ports;
  if (!ports.made()) {
    GTEST_SKIP() << "may not make a network namespace";
  }
  FakeInstance instance(io_, notes());
  auto options = defaults();
  options.cluster.eject.consecutive = 1;
  options.retry.attempts = 1;
  start(options, {instance.endpoint()});
  std::list<Peer> taken;
  run([](auto connect, net::Executor executor, Endpoint to,
         std::list<Peer>* all) -> net::Awaitable<void> {
    bool more = true;
    while (more) {
      net::TcpSocket socket(executor);
      const auto connected = co_await socket.async_connect(net::to_asio(to), net::kTuple);
      more = !std::get<0>(connected);
      all->emplace_back(std::move(socket));
    }
    for (int i = 0; i < 3; ++i) {
      Peer client = co_await connect();
      (void)co_await client.send(get("/x"));
      (void)co_await client.read_until("no free local port");
      EXPECT_TRUE(client.received.starts_with("HTTP/1.1 503 ")) << client.received;
      EXPECT_NE(client.received.find("proxy_internal_error"), std::string::npos);
    }
    for (auto& peer : *all) {
      peer.reset();  // a close would keep the port for a while
    }
    Peer client = co_await connect();
    (void)co_await client.send(get("/x"));
    (void)co_await client.read_until("hello");
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 200 ")) << client.received;
  }([this] { return connect(); }, io_.get_executor(), instance.endpoint(), &taken));
  const auto status = proxy_->status(Clock::now());
  EXPECT_EQ(status.at(0).instances.at(0).failures, 0U);
  EXPECT_EQ(status.at(0).instances.at(0).state, "healthy");
}

const std::string kPost = "POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok";

/// From now on the kernel drops what comes for this socket, as if it were late.
void drop_what_comes(Peer& peer) {
  std::array<sock_filter, 1> program{{{BPF_RET | BPF_K, 0, 0, 0}}};
  const sock_fprog filter{program.size(), program.data()};
  ASSERT_EQ(::setsockopt(peer.socket().native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &filter,
                         sizeof(filter)),
            0);
}

TEST_F(Connections, APostThatCrossesTheInstancesCloseIsSentAgain) {
  FakeInstance instance(io_, notes());
  start(defaults(), {instance.endpoint()});
  std::optional<Peer> client;
  run([](auto connect, auto* kept) -> net::Awaitable<void> {
    Peer made = co_await connect();
    for (int i = 0; i < 2; ++i) {
      made.received.clear();
      (void)co_await made.send(kPost);
      (void)co_await made.read_until("hello");
    }
    made.received.clear();
    kept->emplace(std::move(made));
  }([this] { return connect(); }, &client));
  drop_what_comes(instance.peers.front());
  run([](Peer* peer) -> net::Awaitable<void> { (void)co_await peer->send(kPost); }(&*client));
  until([this] { return in_flight() == 1; });
  instance.peers.front().close();
  run([](Peer* peer) -> net::Awaitable<void> {
    (void)co_await peer->read_until("hello");
  }(&*client));
  EXPECT_TRUE(client->received.starts_with("HTTP/1.1 200 ")) << client->received;
  EXPECT_EQ(asked_.size(), 3U) << "never twice";
  EXPECT_EQ(instance.peers.size(), 2U);
}

TEST_F(Connections, APostOfWhichAByteWasAcknowledgedIsNotSentAgain) {
  int requests = 0;
  FakeInstance instance(io_, [&requests](Peer& peer) -> net::Awaitable<void> {
    for (;;) {
      const bool whole = co_await peer.read_until("ok");
      if (!whole) {
        co_return;
      }
      peer.received.clear();
      if (++requests == 3) {
        break;
      }
      (void)co_await peer.send(kAnswer);
    }
    peer.shutdown_send();  // it has the request, and might act on it
    co_await peer.read_all();
  });
  start(defaults(), {instance.endpoint()});
  run([](auto connect) -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 0; i < 2; ++i) {
      client.received.clear();
      (void)co_await client.send(kPost);
      (void)co_await client.read_until("hello");
    }
    client.received.clear();
    (void)co_await client.send(kPost);
    (void)co_await client.read_until("\r\n\r\n");
    EXPECT_TRUE(client.received.starts_with("HTTP/1.1 502 ")) << client.received;
  }([this] { return connect(); }));
  EXPECT_EQ(requests, 3);
  EXPECT_EQ(instance.peers.size(), 1U);
}

TEST_F(Connections, APostKeepsOffConnectionsThatAnInstanceMayBeAboutToClose) {
  // Each second request of a connection is read and the connection closed without a byte: nobody
  // can tell that from a crash, and a POST is not sent twice. But it need not happen again.
  int requests = 0;
  FakeInstance instance(io_, [&requests](Peer& peer) -> net::Awaitable<void> {
    (void)co_await peer.read_until("ok");
    ++requests;
    (void)co_await peer.send(kAnswer);
    peer.received.clear();
    const bool second = co_await peer.read_until("ok");
    requests += second ? 1 : 0;
    peer.close();
  });
  start(defaults(), {instance.endpoint()});
  int failed = 0;
  run([](auto connect, int* count) -> net::Awaitable<void> {
    for (int i = 0; i < 20; ++i) {
      Peer client = co_await connect();
      (void)co_await client.send(kPost);
      (void)co_await client.read_until("\r\n\r\n");
      *count += client.received.starts_with("HTTP/1.1 200 ") ? 0 : 1;
    }
  }([this] { return connect(); }, &failed));
  EXPECT_LE(failed, 5) << "without, every second one";
  EXPECT_EQ(requests, 20) << "none twice";
}

}  // namespace
}  // namespace pilotfish::proxy::testing
