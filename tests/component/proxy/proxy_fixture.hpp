#pragma once

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <list>
#include <memory>
#include <mutex>
#include <source_location>
#include <string>
#include <sys/socket.h>
#include <vector>

#include "core/log.hpp"
#include "metrics/store.hpp"
#include "net/tcp_stream.hpp"
#include "proxy/proxy.hpp"

namespace pilotfish::proxy::testing {

using namespace std::chrono_literals;

/// Keeps what the program would have logged.
class CapturingLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view message, std::initializer_list<LogField> fields) override {
    std::string line(message);
    for (const auto& field : fields) {
      line += " " + std::string(field.key) + "=" + field.value;
    }
    lines.push_back(line);
  }
  std::vector<std::string> lines;
};

/// A connection in a test: reads and writes with a limit, never throws. All of it runs on the
/// test's one io_context.
class Peer {
 public:
  explicit Peer(net::TcpSocket socket) : socket_(std::move(socket)) {}

  /// Sends all of `bytes`; false where the other side is gone.
  net::Awaitable<bool> send(std::string bytes) {
    const auto sent =
        co_await net::asio::async_write(socket_, net::asio::buffer(bytes), net::kTuple);
    co_return !std::get<0>(sent);
  }
  /// Reads until `received` holds `count` bytes in all; false at the end or an error before.
  net::Awaitable<bool> read_to(std::size_t count) {
    while (received.size() < count) {
      const bool more = co_await read_some();
      if (!more) {
        co_return false;
      }
    }
    co_return true;
  }
  /// Reads until `received` holds `text` somewhere behind `from`.
  net::Awaitable<bool> read_until(std::string text, std::size_t from = 0) {
    while (received.find(text, from) == std::string::npos) {
      const bool more = co_await read_some();
      if (!more) {
        co_return false;
      }
    }
    co_return true;
  }
  /// Reads to the end; `was_reset` tells how it ended.
  net::Awaitable<void> read_all() {
    bool more = true;
    while (more) {
      more = co_await read_some();
    }
  }
  void close() {
    net::ErrorCode ignored;
    socket_.close(ignored);
  }
  void shutdown_send() {
    net::ErrorCode ignored;
    socket_.shutdown(net::TcpSocket::shutdown_send, ignored);
  }
  void reset() {
    net::ErrorCode ignored;
    socket_.set_option(net::asio::socket_base::linger(true, 0), ignored);
    socket_.close(ignored);
  }
  net::TcpSocket& socket() { return socket_; }

  std::string received;
  bool was_reset = false;

 private:
  net::Awaitable<bool> read_some() {
    std::array<char, 16384> buffer{};
    const auto got = co_await socket_.async_read_some(net::asio::buffer(buffer), net::kTuple);
    if (const auto error = std::get<0>(got)) {
      was_reset = error == boost::system::errc::connection_reset;
      co_return false;
    }
    received.append(buffer.data(), std::get<1>(got));
    co_return true;
  }
  net::TcpSocket socket_;
};

/// An instance whose behaviour is a coroutine, once per connection.
class FakeInstance {
 public:
  using Script = std::function<net::Awaitable<void>(Peer&)>;

  FakeInstance(net::IoContext& io, Script script)
      : io_(io),
        acceptor_(io.get_executor(), {net::asio::ip::address_v4::loopback(), 0}),
        script_(std::move(script)) {
    net::asio::co_spawn(io.get_executor(), accept_loop(), ending());
  }
  /// Ends its connections and lets its scripts run out: they refer to the test's variables.
  ~FakeInstance() {
    close();
    close_connections();
    const auto limit = Clock::now() + 5s;
    while (running_ > 0 && Clock::now() < limit) {
      io_.restart();
      io_.run_one_for(10ms);
    }
    EXPECT_EQ(running_, 0) << "a script of a fake instance did not end";
  }
  FakeInstance(const FakeInstance&) = delete;
  FakeInstance& operator=(const FakeInstance&) = delete;

  [[nodiscard]] Endpoint endpoint() const { return net::from_asio(acceptor_.local_endpoint()); }
  void close() {
    net::ErrorCode ignored;
    acceptor_.close(ignored);
  }
  void close_connections() {
    for (auto& peer : peers) {
      peer.close();
    }
  }
  std::list<Peer> peers;  ///< every connection it ever had

 private:
  std::function<void(std::exception_ptr)> ending() {
    ++running_;
    return [this](const std::exception_ptr&) { --running_; };
  }
  net::Awaitable<void> accept_loop() {
    for (;;) {
      auto accepted = co_await acceptor_.async_accept(net::kTuple);
      if (std::get<0>(accepted)) {
        co_return;
      }
      peers.emplace_back(net::TcpSocket(std::move(std::get<1>(accepted))));
      net::asio::co_spawn(acceptor_.get_executor(), script_(peers.back()), ending());
    }
  }
  net::IoContext& io_;
  net::TcpAcceptor acceptor_;
  Script script_;
  int running_ = 0;
};

/// One proxy worker with a static upstream, driven in simulated order on one thread.
class ProxyTest : public ::testing::Test {
 protected:
  static UpstreamOptions defaults() {
    UpstreamOptions options;
    options.name = "u";
    options.retry.attempts = 0;
    return options;
  }

  void start(UpstreamOptions options, const std::vector<Endpoint>& instances) {
    InstanceList list;
    for (const auto& endpoint : instances) {
      list.push_back({.endpoint = endpoint, .tags = {}});
    }
    normalise(list);
    options.source = resolver::StaticSource{list};
    start_with_source(std::move(options));
  }

  void start_with_source(UpstreamOptions options) {
    shared_.logger = &logger_;
    proxy_ = std::make_unique<Proxy>(io_, shared_, store_);
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const auto any = net::asio::ip::tcp::endpoint(net::asio::ip::address_v4::loopback(), 0);
    ASSERT_EQ(::bind(descriptor, any.data(), static_cast<socklen_t>(any.size())), 0);
    ASSERT_EQ(::listen(descriptor, 128), 0);
    net::asio::ip::tcp::endpoint bound;
    socklen_t size = static_cast<socklen_t>(bound.capacity());
    ::getsockname(descriptor, bound.data(), &size);
    listen_ = bound;
    proxy_->start({options}, {{options.name, descriptor}});
  }

  net::Awaitable<Peer> connect() {
    net::TcpSocket socket(io_.get_executor());
    (void)co_await socket.async_connect(listen_, net::kTuple);
    co_return Peer(std::move(socket));
  }

  /// Runs a test's body on the loop; fails where it takes longer than 20 s.
  void run(net::Awaitable<void> body) {
    bool done = false;
    net::asio::co_spawn(io_.get_executor(), std::move(body), [&done](const std::exception_ptr& e) {
      done = true;
      if (e) {
        std::rethrow_exception(e);
      }
    });
    const auto limit = Clock::now() + 20s;
    while (!done && Clock::now() < limit) {
      io_.restart();
      io_.run_one_for(100ms);
    }
    ASSERT_TRUE(done) << "the test's body did not end";
  }

  /// Runs the loop until the condition holds; fails after 5 s.
  void until(const std::function<bool()>& condition,
             std::source_location where = std::source_location::current()) {
    const auto limit = Clock::now() + 5s;
    while (!condition() && Clock::now() < limit) {
      io_.restart();
      io_.run_one_for(10ms);
    }
    EXPECT_TRUE(condition()) << "awaited in line " << where.line();
  }

  [[nodiscard]] std::uint64_t in_flight() const {
    std::uint64_t total = 0;
    const auto status = proxy_->status(Clock::now());
    for (const auto& instance : status.at(0).instances) {
      total += instance.in_flight;
    }
    return total;
  }
  [[nodiscard]] double client_connections() {
    proxy_->refresh_gauges(Clock::now());
    std::array<metrics::Store*, 1> stores{&store_};
    const auto text = metrics::expose(stores, Clock::now());
    const std::string key = "pilotfish_downstream_connections{upstream=\"u\"} ";
    const auto at = text.find(key);
    return at == std::string::npos ? -1 : std::stod(text.substr(at + key.size()));
  }

  void TearDown() override {
    if (proxy_) {
      until([this] { return in_flight() == 0; });
      proxy_->stop();
      until([this] { return client_connections() == 0; });
      proxy_.reset();
    }
  }

  net::IoContext io_{1};
  CapturingLogger logger_;
  metrics::Store store_;
  Shared shared_;
  std::unique_ptr<Proxy> proxy_;
  net::asio::ip::tcp::endpoint listen_;
};

inline constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n";

/// A script that answers each request head with `answer`.
inline FakeInstance::Script answers(std::string answer) {
  return [answer = std::move(answer)](Peer& peer) -> net::Awaitable<void> {
    for (;;) {
      const bool head = co_await peer.read_until("\r\n\r\n");
      if (!head) {
        co_return;
      }
      peer.received.erase(0, peer.received.find("\r\n\r\n") + 4);
      const bool sent = co_await peer.send(answer);
      if (!sent) {
        co_return;
      }
    }
  };
}

}  // namespace pilotfish::proxy::testing
