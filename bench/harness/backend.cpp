#include "bench/harness/backend.hpp"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <fmt/core.h>
#include <unordered_set>

#include "bench/harness/http_text.hpp"
#include "bench/harness/sockets.hpp"
#include "net/notifier.hpp"

namespace pilotfish::bench {

namespace asio = net::asio;

struct Backend::State : std::enable_shared_from_this<State> {
  struct Connection {
    explicit Connection(net::TcpSocket accepted) : socket(std::move(accepted)) {}
    net::TcpSocket socket;
    bool busy = false;  ///< a request was read and is not answered yet
  };

  State(net::Executor loop, const BackendOptions& wanted)
      : executor(loop),
        options(wanted),
        name(wanted.version + " " + wanted.instance),
        acceptor(loop),
        resumed(loop),
        delay(wanted.delay) {
    options.body_bytes = std::max(options.body_bytes, name.size() + 1);
    compose();
  }

  void compose() {
    std::string body = name;
    body.resize(options.body_bytes - 1, ' ');
    body += '\n';
    const auto text = [&](std::string_view connection) {
      return fmt::format(
          "HTTP/1.1 {} {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
          "X-Version: {}\r\nX-Instance: {}\r\n{}\r\n",
          status, status == 200 ? "OK" : "Told So", body.size(), options.version, name, connection);
    };
    const auto kept = text("");
    const auto last = text("Connection: close\r\n");
    answer = kept + body;
    last_answer = last + body;
    head_size = kept.size();
    last_head_size = last.size();
  }

  void open() {
    acceptor = listen_on(executor, options.listen);
    options.listen = from_asio(acceptor.local_endpoint());
    stopping = false;
    asio::co_spawn(executor, accept(), asio::detached);
  }

  net::Awaitable<void> accept() {
    const auto self = shared_from_this();
    while (acceptor.is_open()) {
      auto accepted = co_await acceptor.async_accept(net::kTuple);
      if (std::get<0>(accepted)) {
        if (!acceptor.is_open() || std::get<0>(accepted) == asio::error::operation_aborted) {
          co_return;
        }
        net::Timer timer(executor, std::chrono::milliseconds(10));
        co_await timer.async_wait(net::kTuple);
        continue;
      }
      auto connection = std::make_shared<Connection>(std::move(std::get<1>(accepted)));
      net::ErrorCode ignored;
      connection->socket.set_option(asio::ip::tcp::no_delay(true), ignored);
      connections.insert(connection);
      asio::co_spawn(executor, serve(std::move(connection)), asio::detached);
    }
  }

  net::Awaitable<void> serve(std::shared_ptr<Connection> connection) {
    const auto self = shared_from_this();
    co_await talk(*connection);
    net::ErrorCode ignored;
    connection->socket.close(ignored);
    connections.erase(connection);
  }

  net::Awaitable<void> talk(Connection& connection) {
    std::string buffer;
    std::size_t filled = 0;
    for (;;) {
      const auto request = parse_request({buffer.data(), filled});
      if (request.malformed) co_return;
      if (!request.complete) {
        if (stopping && filled == 0) co_return;
        if (buffer.size() < filled + 4096) buffer.resize(filled + 16384);
        const auto got = co_await connection.socket.async_read_some(
            asio::buffer(buffer.data() + filled, buffer.size() - filled), net::kTuple);
        if (std::get<0>(got)) co_return;
        filled += std::get<1>(got);
        continue;
      }
      connection.busy = true;
      if (options.on_request) options.on_request(Clock::now());
      co_await linger();
      const bool last = request.close || stopping;
      const std::string& full = last ? last_answer : answer;
      const std::size_t size = !request.head ? full.size() : last ? last_head_size : head_size;
      const auto sent = co_await asio::async_write(connection.socket,
                                                   asio::buffer(full.data(), size), net::kTuple);
      if (std::get<0>(sent)) co_return;
      ++requests;
      connection.busy = false;
      if (last) co_return;
      buffer.erase(0, request.size);
      filled -= request.size;
    }
  }

  /// What the instance is told to wait before it answers.
  net::Awaitable<void> linger() {
    while (paused) {
      const TimePoint later = Clock::now() + std::chrono::hours(1);
      co_await resumed.wait_until(later);
    }
    if (delay > Duration::zero()) {
      net::Timer timer(executor, delay);
      co_await timer.async_wait(net::kTuple);
    }
  }

  void close_listener() {
    net::ErrorCode ignored;
    acceptor.close(ignored);
  }

  void kill() {
    close_listener();
    for (const auto& connection : connections) close_hard(connection->socket);
  }

  void stop() {
    close_listener();
    stopping = true;
    net::ErrorCode ignored;
    for (const auto& connection : connections) {
      if (!connection->busy) connection->socket.close(ignored);
    }
  }

  net::Executor executor;
  BackendOptions options;
  const std::string name;
  unsigned status = 200;
  std::string answer;
  std::string last_answer;
  std::size_t head_size = 0;
  std::size_t last_head_size = 0;
  net::TcpAcceptor acceptor;
  net::Notifier resumed;
  Duration delay;
  bool paused = false;
  bool stopping = false;
  std::unordered_set<std::shared_ptr<Connection>> connections;
  std::atomic<std::uint64_t> requests{0};
};

Backend::Backend(LoopThread& loop, const BackendOptions& options)
    : loop_(loop), state_(std::make_shared<State>(loop.executor(), options)) {
  loop_.run([&] { state_->open(); });
}

Backend::~Backend() {
  loop_.run([this] {
    state_->paused = false;
    state_->resumed.notify_all();
    state_->kill();
  });
}

Endpoint Backend::endpoint() const {
  return state_->options.listen;
}
const std::string& Backend::name() const {
  return state_->name;
}
const std::string& Backend::version() const {
  return state_->options.version;
}
std::uint64_t Backend::requests() const {
  return state_->requests;
}
std::size_t Backend::connections() const {
  return loop_.run([this] { return state_->connections.size(); });
}

void Backend::kill() {
  loop_.run([this] { state_->kill(); });
}
void Backend::revive() {
  loop_.run([this] { state_->open(); });
}
void Backend::stop() {
  loop_.run([this] { state_->stop(); });
}
void Backend::pause() {
  loop_.run([this] { state_->paused = true; });
}
void Backend::resume() {
  loop_.run([this] {
    state_->paused = false;
    state_->resumed.notify_all();
  });
}
void Backend::set_delay(Duration delay) {
  loop_.run([this, delay] { state_->delay = delay; });
}
void Backend::set_status(unsigned status) {
  loop_.run([this, status] {
    state_->status = status;
    state_->compose();
  });
}

}  // namespace pilotfish::bench
