#include "bench/harness/drive.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fmt/core.h>
#include <sys/socket.h>

#include "bench/harness/answer_reader.hpp"
#include "bench/harness/raw_sockets.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kReadSize = 256UL * 1024;
constexpr auto kTick = std::chrono::milliseconds(10);
constexpr auto kLate = std::chrono::milliseconds(1);
constexpr unsigned kSources = 64;

std::string request_text(const DriveOptions& options) {
  std::string text;
  if (options.protocol == DriveOptions::Protocol::kHttp) {
    text =
        fmt::format("{} /{} HTTP/1.1\r\nHost: bench\r\n{}", options.upload_bytes ? "POST" : "GET",
                    options.answer_bytes, options.new_connections ? "Connection: close\r\n" : "");
    if (options.upload_bytes != 0)
      text += fmt::format("Content-Length: {}\r\n", options.upload_bytes);
    text += "\r\n";
  }
  text.append(options.upload_bytes, 'x');
  return text;
}

struct Connection {
  enum class Phase : std::uint8_t { kClosed, kConnecting, kIdle, kBusy };
  Descriptor socket;
  Phase phase = Phase::kClosed;
  TimePoint planned{};   ///< of the request under way
  std::size_t sent = 0;  ///< of it
  std::size_t target = 0;
  AnswerReader answer;
};

/// First in, first out, at most as many as there are connections: all carry the same share.
class Waiting {
 public:
  explicit Waiting(std::size_t size) : ring_(size) {}
  [[nodiscard]] bool empty() const { return count_ == 0; }
  void push(Connection& connection) { ring_[(first_ + count_++) % ring_.size()] = &connection; }
  Connection& pop() {
    auto& connection = *ring_[first_];
    first_ = (first_ + 1) % ring_.size();
    --count_;
    return connection;
  }

 private:
  std::vector<Connection*> ring_;
  std::size_t first_ = 0;
  std::size_t count_ = 0;
};

}  // namespace

struct Drive::State {
  using Phase = Connection::Phase;

  explicit State(const DriveOptions& wanted)
      : options(wanted),
        request(request_text(wanted)),
        connections(std::max<std::size_t>(wanted.connections, 1)),
        idle(connections.size()),
        buffer(kReadSize) {
    for (std::size_t i = 0; i < connections.size(); ++i) {
      connections[i].target = i % options.targets.size();
      idle.push(connections[i]);
    }
    if (options.rate > 0) gap = std::chrono::duration<double>(1.0 / options.rate);
  }

  [[nodiscard]] bool open_loop() const { return gap.count() > 0; }
  [[nodiscard]] TimePoint due() const {
    return start + std::chrono::duration_cast<Duration>(gap * static_cast<double>(planned_count));
  }

  void run() {
    sharpen_timers();
    start = counted_from = Clock::now();
    auto next_tick = start + kTick;
    for (;;) {
      const auto now = Clock::now();
      if (reset_wanted) forget(now);
      if (stop_wanted && !stopping) {
        stopping = true;
        counted_to = now;
      }
      if (stopping && (!open_loop() || (busy == 0 && due() > counted_to))) return;
      if (now >= next_tick) {
        tick(now);
        next_tick = now + kTick;
      }
      send_due(now);
      auto until = next_tick;
      if (open_loop() && !idle.empty() && !stopping) until = std::min(until, due());
      const auto left = std::max((until - Clock::now()).count(), Duration::rep{0});
      poller.wait(left, [this](const auto& event) {
        progress(*static_cast<Connection*>(event.owner), event.readable);
      });
    }
  }

  void forget(TimePoint now) {
    report = {};
    count = 0;
    counted_from = now;
    reset_wanted = false;
    reset_wanted.notify_all();
  }

  void send_due(TimePoint now) {
    while (!idle.empty()) {
      auto planned = now;
      if (open_loop()) {
        planned = due();
        if (planned > now || (stopping && planned > counted_to)) return;
        ++planned_count;
        if (now - std::max(planned, free_since) > kLate) ++report.late;
      }
      begin(idle.pop(), planned);
    }
  }

  void begin(Connection& connection, TimePoint planned) {
    connection.planned = planned;
    connection.sent = 0;
    ++busy;
    if (connection.socket.open()) {
      ask(connection);
      return;
    }
    source = options.new_connections ? source % kSources + 1 : 0;
    connection.socket = connect_to(options.targets[connection.target], source);
    connection.target = (connection.target + 1) % options.targets.size();
    if (!connection.socket.open()) {
      fail(connection, fmt::format("connect: {}", std::strerror(errno)));
      return;
    }
    connection.phase = Phase::kConnecting;
    poller.add(connection.socket.get(), &connection);
  }

  void ask(Connection& connection) {
    connection.phase = Phase::kBusy;
    if (options.protocol == DriveOptions::Protocol::kHttp) {
      connection.answer.expect_http();
    } else {
      connection.answer.expect_bytes(request.size());
    }
    send_rest(connection);
  }

  bool send_rest(Connection& connection) {
    while (connection.sent < request.size()) {
      const auto written = ::send(connection.socket.get(), request.data() + connection.sent,
                                  request.size() - connection.sent, MSG_NOSIGNAL);
      if (written < 0) {
        if (errno == EAGAIN) return true;
        fail(connection, fmt::format("write: {}", std::strerror(errno)));
        return false;
      }
      connection.sent += static_cast<std::size_t>(written);
    }
    return true;
  }

  void progress(Connection& connection, bool readable) {
    if (connection.phase == Phase::kConnecting) {
      if (const int error = connect_error(connection.socket.get()); error != 0) {
        fail(connection, fmt::format("connect: {}", std::strerror(error)));
        return;
      }
      ask(connection);
      return;
    }
    if (connection.phase == Phase::kBusy && connection.sent < request.size() &&
        !send_rest(connection)) {
      return;
    }
    if (readable) read(connection);
  }

  void read(Connection& connection) {
    while (connection.socket.open()) {
      const auto got = ::recv(connection.socket.get(), buffer.data(), buffer.size(), 0);
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) {
        lost(connection, got == 0 ? "closed" : std::strerror(errno));
        return;
      }
      if (connection.phase != Phase::kBusy) {
        connection.socket.reset();  // bytes that nobody asked for
        connection.phase = Phase::kClosed;
        ++report.errors["bytes between answers"];
        return;
      }
      const auto size = static_cast<std::size_t>(got);
      if (!take(connection, {buffer.data(), size})) return;
      if (size < buffer.size()) return;  // edge-triggered: what comes later is another event
    }
  }

  /// False where the connection has no more to read for now.
  bool take(Connection& connection, std::string_view bytes) {
    switch (connection.answer.feed(bytes)) {
      case AnswerReader::Progress::kMore: return true;
      case AnswerReader::Progress::kBad:
        fail(connection, "an answer that is not understood");
        return false;
      case AnswerReader::Progress::kDone: break;
    }
    const auto status = connection.answer.status();
    if (status < 200 || status > 299) {
      fail(connection, fmt::format("status {}", status));
      return false;
    }
    report.bytes += options.upload_bytes + options.answer_bytes;
    if (options.new_connections || connection.answer.close()) connection.socket.reset();
    finish(connection);
    return false;
  }

  /// The peer has closed. An idle connection may be closed at any time; the next request opens
  /// another.
  void lost(Connection& connection, const char* why) {
    if (connection.phase == Phase::kBusy) {
      fail(connection,
           fmt::format("{} {} the answer", why, connection.answer.begun() ? "within" : "before"));
      return;
    }
    connection.socket.reset();
    connection.phase = Phase::kClosed;
  }

  void fail(Connection& connection, const std::string& error) {
    connection.socket.reset();
    ++report.failed;
    if (report.errors.size() < 16 || report.errors.contains(error)) ++report.errors[error];
    finish(connection, true);
  }

  void finish(Connection& connection, bool failed = false) {
    const auto now = Clock::now();
    connection.phase = connection.socket.open() ? Phase::kIdle : Phase::kClosed;
    --busy;
    count.store(++report.requests, std::memory_order_relaxed);
    report.latency.record(now - connection.planned);
    if (failed) {
      // Not at once: refusals would otherwise be asked for as fast as this thread can.
      recovering.push_back(&connection);
    } else if (!open_loop() && !stopping && connection.socket.open()) {
      begin(connection, now);
    } else {
      release(connection, now);
    }
  }

  void release(Connection& connection, TimePoint now) {
    if (idle.empty()) free_since = now;
    idle.push(connection);
  }

  void tick(TimePoint now) {
    for (auto* connection : std::exchange(recovering, {})) release(*connection, now);
    for (auto& connection : connections) {
      const bool waits = connection.phase == Phase::kBusy || connection.phase == Phase::kConnecting;
      if (waits && now - connection.planned > options.timeout) {
        fail(connection, "no whole answer in time");
      }
    }
  }

  const DriveOptions options;
  const std::string request;
  Poller poller;
  std::vector<Connection> connections;
  Waiting idle;
  std::vector<Connection*> recovering;
  std::vector<char> buffer;
  std::chrono::duration<double> gap{};
  TimePoint start;
  TimePoint free_since;  ///< since when there is a connection to send on
  std::uint64_t planned_count = 0;
  std::size_t busy = 0;
  unsigned source = 0;
  bool stopping = false;
  DriveReport report;
  TimePoint counted_from;
  TimePoint counted_to;
  std::atomic<std::uint64_t> count{0};
  std::atomic<bool> reset_wanted{false};
  std::atomic<bool> stop_wanted{false};
};

Drive::Drive(const DriveOptions& options)
    : state_(std::make_unique<State>(options)), thread_([this] { state_->run(); }) {}

Drive::~Drive() {
  if (!thread_.joinable()) return;
  stop();
}

void Drive::reset() {
  state_->reset_wanted = true;
  state_->reset_wanted.wait(true);
}

std::uint64_t Drive::requests() const {
  return state_->count.load(std::memory_order_relaxed);
}

DriveReport Drive::stop() {
  state_->stop_wanted = true;
  thread_.join();
  state_->report.during = state_->counted_to - state_->counted_from;
  return std::move(state_->report);
}

}  // namespace pilotfish::bench
