// The relay on streams of its own: what the kernel and two peers can do to it while it splices.
#include "proxy/relay.hpp"

#include <csignal>
#include <optional>

#include "tests/component/proxy/proxy_fixture.hpp"

namespace pilotfish::proxy::testing {
namespace {

/// A stream that cannot splice, as a TLS stream will be.
class CopyingStream {
 public:
  explicit CopyingStream(net::TcpStream stream) : stream_(std::move(stream)) {}
  net::IoResult try_read(std::span<char> room) { return stream_.try_read(room); }
  net::IoResult try_write(std::span<const net::asio::const_buffer> out) {
    return stream_.try_write(out);
  }
  auto wait_readable() { return stream_.wait_readable(); }
  auto wait_writable() { return stream_.wait_writable(); }
  [[nodiscard]] bool disturbed() { return stream_.disturbed(); }
  [[nodiscard]] bool has_unread() { return stream_.has_unread(); }
  [[nodiscard]] bool watch(net::HangUpWatcher& watcher, net::HangUp what) {
    return stream_.watch(watcher, what);
  }
  void unwatch() { stream_.unwatch(); }
  void hurry_peer() { stream_.hurry_peer(); }
  void shutdown_send() { stream_.shutdown_send(); }
  void cancel() { stream_.cancel(); }
  void close() { stream_.close(); }
  void reset() { stream_.reset(); }
  [[nodiscard]] bool is_open() const { return stream_.is_open(); }

 private:
  net::TcpStream stream_;
};
static_assert(net::Stream<CopyingStream> && !net::Splices<CopyingStream>);

std::string pattern(std::size_t size) {
  std::string bytes(size, '\0');
  std::uint32_t state = 12345;
  for (auto& byte : bytes) {
    state = state * 1664525U + 1013904223U;
    byte = static_cast<char>(state >> 24U);
  }
  return bytes;
}

class RelayTest : public ::testing::Test {
 protected:
  RelayTest() {
    (void)std::signal(SIGPIPE, SIG_IGN);  // as the program does
    shared_.logger = &logger_;
    shared_.max_pipes = 8;
    worker_.emplace(io_, shared_, store_);
  }

  /// Two ends of one connection.
  std::pair<net::TcpSocket, net::TcpSocket> pair() {
    net::TcpAcceptor acceptor(io_.get_executor(), {net::asio::ip::address_v4::loopback(), 0});
    net::TcpSocket one(io_.get_executor());
    one.connect(acceptor.local_endpoint());
    net::TcpSocket other(io_.get_executor());
    acceptor.accept(other);
    return {std::move(one), std::move(other)};
  }

  /// left_ <-> [a relay b] <-> right_; runs in the background.
  template <class S = net::TcpStream>
  void start(Duration idle = 10s) {
    auto [left, a] = pair();
    auto [b, right] = pair();
    left_.emplace(std::move(left));
    right_.emplace(std::move(right));
    net::asio::co_spawn(io_.get_executor(),
                        relay(S(stream_of(std::move(a))), S(stream_of(std::move(b))), idle),
                        [](const std::exception_ptr&) {});
  }
  net::TcpStream stream_of(net::TcpSocket socket) {
    socket.native_non_blocking(true);
    const auto remote = net::from_asio(socket.remote_endpoint());
    return {io_.get_executor(), socket.release(), remote};
  }
  template <class S>
  net::Awaitable<void> relay(S a, S b, Duration idle) {
    net::Buffer from_a(worker_->buffers);
    net::Buffer from_b(worker_->buffers);
    RelayCount count;
    count.up = [this](std::uint64_t n) { counted_up_ += n; };
    count.down = [this](std::uint64_t n) { counted_down_ += n; };
    Relay<S, S> relay(*worker_, a, from_a, b, from_b, idle, std::move(count));
    running_ = &from_a;
    end_ = co_await relay.run();
  }

  void run(net::Awaitable<void> body) {
    bool done = false;
    net::asio::co_spawn(io_.get_executor(), std::move(body),
                        [&done](const std::exception_ptr&) { done = true; });
    until([&done] { return done; });
  }
  void until(const std::function<bool()>& condition) {
    const auto limit = Clock::now() + 20s;
    while (!condition() && Clock::now() < limit) {
      io_.restart();
      io_.run_one_for(10ms);
    }
    ASSERT_TRUE(condition());
  }
  void ended() {
    until([this] { return end_.has_value(); });
    EXPECT_EQ(worker_->pipes.taken(), 0U);
  }
  void finish() {
    left_->shutdown_send();
    right_->shutdown_send();
    ended();
  }

  net::IoContext io_{1};
  CapturingLogger logger_;
  metrics::Store store_;
  Shared shared_;
  std::optional<Worker> worker_;
  std::optional<Peer> left_;
  std::optional<Peer> right_;
  net::Buffer* running_ = nullptr;
  std::optional<RelayEnd> end_;
  std::uint64_t counted_up_ = 0;
  std::uint64_t counted_down_ = 0;
};

net::Awaitable<void> send_all(Peer* from, std::string bytes) {
  (void)co_await from->send(std::move(bytes));
  from->shutdown_send();
}

TEST_F(RelayTest, BulkIsSplicedBothWaysAtOnceAndArrivesAsItWas) {
  start();
  const auto up = pattern(6'000'001);
  const auto down = pattern(5'000'003);
  net::asio::co_spawn(io_.get_executor(), send_all(&*left_, up), net::asio::detached);
  net::asio::co_spawn(io_.get_executor(), send_all(&*right_, down), net::asio::detached);
  net::asio::co_spawn(io_.get_executor(), left_->read_all(), net::asio::detached);
  run(right_->read_all());
  ended();
  EXPECT_TRUE(right_->received == up);
  EXPECT_TRUE(left_->received == down);
  EXPECT_GT(worker_->pipes.idle(), 0U) << "no pipe was ever used";
  EXPECT_FALSE(end_->broken);
  EXPECT_EQ(end_->up, up.size());
  EXPECT_EQ(end_->down, down.size());
  EXPECT_EQ(counted_up_, up.size());
  EXPECT_EQ(counted_down_, down.size());
}

TEST_F(RelayTest, AnEndAfterAnyNumberOfBytesIsPassedOnBehindThem) {
  for (const std::size_t size : {0UL, 1UL, 16383UL, 16384UL, 65535UL, 65536UL, 65537UL, 90000UL,
                                 262144UL, 327681UL, 1UL << 20}) {
    end_.reset();
    start();
    const auto bytes = pattern(size);
    net::asio::co_spawn(io_.get_executor(), send_all(&*left_, bytes), net::asio::detached);
    run(right_->read_all());
    EXPECT_TRUE(right_->received == bytes) << size;
    EXPECT_FALSE(right_->was_reset);
    // The other direction lives on.
    run([](Peer* left, Peer* right) -> net::Awaitable<void> {
      (void)co_await right->send("still here");
      (void)co_await left->read_until("still here");
    }(&*left_, &*right_));
    EXPECT_EQ(left_->received, "still here");
    finish();
    EXPECT_FALSE(end_->broken);
  }
}

TEST_F(RelayTest, AResetAfterAnyNumberOfBytesBreaksIt) {
  for (const std::size_t size : {1UL, 16384UL, 65536UL, 100000UL, 400000UL, 3UL << 20}) {
    end_.reset();
    start();
    run([](Peer* left, Peer* right, std::string bytes) -> net::Awaitable<void> {
      (void)co_await left->send(std::move(bytes));
      (void)co_await right->read_to(1);
      left->reset();
    }(&*left_, &*right_, pattern(size)));
    until([this] { return end_.has_value(); });
    EXPECT_TRUE(end_->broken && !end_->idle) << size;
    EXPECT_EQ(worker_->pipes.taken(), 0U);
  }
}

TEST_F(RelayTest, AReaderThatLeavesWhileThePipeIsFullBreaksIt) {
  start();
  net::asio::co_spawn(io_.get_executor(), send_all(&*left_, pattern(64UL << 20)),
                      net::asio::detached);
  until([this, last = std::uint64_t{0}, since = Clock::now()]() mutable {
    if (counted_up_ != last || worker_->pipes.taken() == 0) {
      last = counted_up_;
      since = Clock::now();
    }
    return Clock::now() - since > 300ms;  // nothing moves any more: all buffers are full
  });
  EXPECT_EQ(worker_->pipes.taken(), 1U);
  EXPECT_LT(counted_up_, 32UL << 20);
  EXPECT_FALSE(running_->holds_memory()) << "what waits is the kernel's";
  right_->reset();
  ended();
  EXPECT_TRUE(end_->broken);
  EXPECT_FALSE(end_->idle);
}

TEST_F(RelayTest, AStalledReaderEndsWithTheIdleTimeout) {
  start(500ms);
  net::asio::co_spawn(io_.get_executor(), send_all(&*left_, pattern(64UL << 20)),
                      net::asio::detached);
  ended();
  EXPECT_TRUE(end_->idle);
  left_->close();
}

TEST_F(RelayTest, AConnectionThatRestsHoldsNoPipe) {
  start();
  const auto bytes = pattern(2UL << 20);
  run([](Peer* left, Peer* right, std::string all) -> net::Awaitable<void> {
    for (int i = 0; i < 3; ++i) {
      right->received.clear();
      net::asio::co_spawn(left->socket().get_executor(), left->send(all), net::asio::detached);
      (void)co_await right->read_to(all.size());
      EXPECT_TRUE(right->received == all);
      (void)co_await right->send("ok");
      left->received.clear();
      (void)co_await left->read_to(2);
      EXPECT_EQ(left->received, "ok");
    }
  }(&*left_, &*right_, bytes));
  until([this] { return worker_->pipes.taken() == 0; });
  EXPECT_GT(worker_->pipes.idle(), 0U);
  EXPECT_FALSE(running_->holds_memory());
  finish();
}

TEST_F(RelayTest, WithoutPipesOrStreamsThatSpliceItCopies) {
  const auto bytes = pattern(3UL << 20);
  for (const bool can : {true, false}) {
    end_.reset();
    worker_->pipes.set_most(can ? 0 : 8);
    can ? start<net::TcpStream>() : start<CopyingStream>();
    net::asio::co_spawn(io_.get_executor(), send_all(&*left_, bytes), net::asio::detached);
    run(right_->read_all());
    EXPECT_TRUE(right_->received == bytes);
    finish();
    EXPECT_EQ(worker_->pipes.idle(), 0U);
  }
}

TEST_F(RelayTest, OutOfBandDataDoesNotStopBulk) {
  // splice(2) stops before an urgent byte for ever, and poll says readable all the while.
  start();
  const auto bytes = pattern(1UL << 20);
  net::asio::co_spawn(
      io_.get_executor(),
      [](Peer* left, std::string all) -> net::Awaitable<void> {
        for (int i = 0; i < 4; ++i) {
          (void)co_await left->send(all);
          const char urgent = '!';
          (void)co_await left->socket().async_send(net::asio::buffer(&urgent, 1), MSG_OOB,
                                                   net::kTuple);
        }
        (void)co_await left->send("end");
        left->shutdown_send();
      }(&*left_, bytes),
      net::asio::detached);
  run(right_->read_all());
  EXPECT_EQ(right_->received.size(), 4 * bytes.size() + 3) << "without the urgent bytes";
  EXPECT_TRUE(right_->received.starts_with(bytes));
  EXPECT_TRUE(right_->received.ends_with("end"));
  finish();
}

}  // namespace
}  // namespace pilotfish::proxy::testing
