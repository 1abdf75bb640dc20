#include "bench/harness/load.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/write.hpp>
#include <deque>
#include <fmt/core.h>
#include <mutex>
#include <unordered_set>

#include "bench/harness/http_text.hpp"
#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {

namespace asio = net::asio;

struct Load::State : std::enable_shared_from_this<State> {
  struct Connection {
    explicit Connection(net::Executor loop) : socket(loop) {}
    net::TcpSocket socket;
    TimePoint deadline = TimePoint::max();
    bool timed_out = false;
    std::string buffer;
    std::size_t filled = 0;
  };
  using ConnectionPtr = std::shared_ptr<Connection>;

  State(net::Executor loop, LoadOptions wanted)
      : executor(loop), options(std::move(wanted)), random(options.seed), pacer(loop) {
    const auto text = [&](std::string_view extra) {
      return fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n", options.path, options.host,
                         extra);
    };
    kept_request = text("");
    last_request = text("Connection: close\r\n");
  }

  net::Awaitable<void> pace() {
    const auto self = shared_from_this();
    const auto start = Clock::now();
    const std::chrono::duration<double> gap(1.0 / options.rate);
    for (std::uint64_t i = 0; running; ++i) {
      const TimePoint planned = start + std::chrono::duration_cast<Duration>(gap * i);
      if (planned > Clock::now()) {
        pacer.expires_at(planned);
        co_await pacer.async_wait(net::kTuple);
        if (!running) co_return;
      }
      plan(planned);
    }
  }

  void plan(TimePoint planned) {
    ++under_way;
    if (busy >= options.max_connections) {
      waiting.push_back(planned);
    } else {
      ++busy;
      asio::co_spawn(executor, work(planned), asio::detached);
    }
  }

  /// One request, then those that wait for a place.
  net::Awaitable<void> work(TimePoint planned) {
    const auto self = shared_from_this();
    for (;;) {
      const bool fresh = random.unit() < options.new_connection_share;
      co_await request(planned, fresh);
      if (waiting.empty()) break;
      planned = waiting.front();
      waiting.pop_front();
    }
    --busy;
  }

  net::Awaitable<void> request(TimePoint planned, bool fresh) {
    ConnectionPtr connection;
    if (!fresh && !idle.empty()) {
      connection = std::move(idle.back());
      idle.pop_back();
    } else {
      connection = std::make_shared<Connection>(executor);
    }
    connection->deadline = planned + options.timeout;
    connection->timed_out = aborted;
    active.insert(connection);
    std::string instance;
    std::string error = co_await exchange(*connection, fresh, instance);
    active.erase(connection);
    if (!error.empty() && connection->timed_out) error = "no whole answer in time";
    const bool reusable = error.empty() && !fresh && connection->socket.is_open();
    if (reusable) idle.push_back(std::move(connection));
    finish(planned, std::move(error), std::move(instance));
  }

  /// Empty where all went well, else what went wrong.
  net::Awaitable<std::string> exchange(Connection& connection, bool fresh, std::string& instance) {
    if (connection.timed_out) co_return "not sent";
    if (!connection.socket.is_open()) {
      const auto target = options.target(random);
      if (!target) co_return "no instance to connect to";
      const auto peer = to_asio(*target);
      const auto connected = co_await connection.socket.async_connect(peer, net::kTuple);
      if (std::get<0>(connected)) co_return "connect: " + std::get<0>(connected).message();
      net::ErrorCode ignored;
      connection.socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    }
    const auto& text = fresh ? last_request : kept_request;
    const auto sent =
        co_await asio::async_write(connection.socket, asio::buffer(text), net::kTuple);
    if (std::get<0>(sent)) co_return "write: " + std::get<0>(sent).message();
    for (;;) {
      const auto answer = parse_response({connection.buffer.data(), connection.filled});
      if (answer.malformed) co_return "an answer that is not understood";
      if (answer.complete) {
        instance = answer.instance;
        std::string error;
        if (answer.status < 200 || answer.status > 299) error = describe(answer);
        if (answer.size != connection.filled) error = "bytes after the answer";
        if (answer.close || !error.empty()) connection.socket.close();
        connection.filled = 0;
        co_return error;
      }
      auto& buffer = connection.buffer;
      if (buffer.size() < connection.filled + 2048) buffer.resize(connection.filled * 2 + 8192);
      const auto got = co_await connection.socket.async_read_some(
          asio::buffer(buffer.data() + connection.filled, buffer.size() - connection.filled),
          net::kTuple);
      if (std::get<0>(got)) {
        co_return fmt::format("read after {} bytes: {}", connection.filled,
                              std::get<0>(got).message());
      }
      connection.filled += std::get<1>(got);
    }
  }

  static std::string describe(const ResponseText& answer) {
    auto line = answer.body.substr(0, answer.body.find_first_of("\r\n"));
    return fmt::format("{} {}", answer.status, line.substr(0, 60));
  }

  void finish(TimePoint planned, std::string error, std::string instance) {
    const auto now = Clock::now();
    const std::lock_guard lock(mutex);
    --under_way;
    ++result.requests;
    result.latency.record(now - planned);
    if (!error.empty()) {
      ++result.failed;
      if (result.errors.size() < 16 || result.errors.contains(error)) ++result.errors[error];
    }
    done.push_back({planned, now, error.empty(), std::move(instance)});
  }

  net::Awaitable<void> watch_deadlines() {
    const auto self = shared_from_this();
    net::Timer timer(executor);
    while (running || under_way != 0) {
      timer.expires_after(std::chrono::milliseconds(20));
      co_await timer.async_wait(net::kTuple);
      const auto now = Clock::now();
      for (const auto& connection : active) {
        if (now >= connection->deadline) cut(*connection);
      }
    }
  }

  static void cut(Connection& connection) {
    net::ErrorCode ignored;
    connection.timed_out = true;
    connection.socket.close(ignored);
  }

  void abort() {
    aborted = true;  // what still waits for a place fails when its turn comes
    for (const auto& connection : active) cut(*connection);
  }

  net::Executor executor;
  const LoadOptions options;
  Random random;
  net::Timer pacer;
  std::string kept_request;
  std::string last_request;
  bool running = false;
  bool aborted = false;
  std::size_t busy = 0;
  std::atomic<std::uint64_t> under_way{0};
  std::deque<TimePoint> waiting;
  std::vector<ConnectionPtr> idle;
  std::unordered_set<ConnectionPtr> active;

  std::mutex mutex;
  LoadReport result;
  std::vector<Completion> done;
};

Load::Load(LoadOptions options)
    : state_(std::make_shared<State>(loop_.executor(), std::move(options))) {}

Load::~Load() {
  stop(Duration::zero());
}

void Load::start() {
  loop_.run([this] {
    state_->running = true;
    asio::co_spawn(state_->executor, state_->pace(), asio::detached);
    asio::co_spawn(state_->executor, state_->watch_deadlines(), asio::detached);
  });
}

void Load::stop(Duration grace) {
  loop_.run([this] {
    state_->running = false;
    state_->pacer.cancel();
  });
  const auto until = Clock::now() + grace;
  while (state_->under_way != 0 && Clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  loop_.run([this] { state_->abort(); });
  while (state_->under_way != 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  loop_.run([this] { state_->idle.clear(); });
}

std::vector<Completion> Load::drain() {
  const std::lock_guard lock(state_->mutex);
  return std::exchange(state_->done, {});
}

void Load::reset() {
  const std::lock_guard lock(state_->mutex);
  state_->result = {};
  state_->done.clear();
}

LoadReport Load::report() {
  const std::lock_guard lock(state_->mutex);
  return state_->result;
}

}  // namespace pilotfish::bench
