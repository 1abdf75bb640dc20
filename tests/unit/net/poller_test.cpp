#include "net/poller.hpp"

#include <array>
#include <boost/asio/post.hpp>
#include <functional>
#include <gtest/gtest.h>
#include <list>
#include <memory>
#include <optional>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.hpp"

namespace pilotfish::net {
namespace {

using std::chrono_literals::operator""s;

/// Two connected sockets; the first one is watched.
class PollerTest : public testing::Test {
 public:
  PollerTest() {
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends_.data()), 0);
    pollable_.emplace(Poller::of(io_.get_executor()));
    pollable_->open(ends_[0]);
  }
  ~PollerTest() override {
    pollable_.reset();
    for (const int end : ends_) {
      if (end >= 0) {
        ::close(end);
      }
    }
  }

  PollerTest(const PollerTest&) = delete;
  PollerTest& operator=(const PollerTest&) = delete;

 protected:
  Continuation note(std::optional<ErrorCode>& result) {
    return Continuation([&result](ErrorCode error) { result = error; });
  }
  void peer_writes(std::size_t bytes) {
    const std::array<char, 64> text{};
    ASSERT_EQ(::send(ends_[1], text.data(), bytes, 0), static_cast<ssize_t>(bytes));
  }
  ssize_t read(std::size_t most) {
    std::array<char, 64> text{};
    return ::recv(ends_[0], text.data(), most, 0);
  }
  void run() { io_.run_for(5s); }

  IoContext io_{1};
  std::array<int, 2> ends_{-1, -1};
  std::optional<Pollable> pollable_;
};

TEST_F(PollerTest, WakesAReaderWhenBytesCome) {
  std::optional<ErrorCode> read;
  pollable_->wait_read(note(read));
  io_.poll();
  EXPECT_FALSE(read);
  peer_writes(1);
  run();
  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
}

TEST_F(PollerTest, LetsTheLoopEndWhereNobodyWaits) {
  std::optional<ErrorCode> read;
  pollable_->wait_read(note(read));
  peer_writes(1);
  const auto began = Clock::now();
  run();  // would last its 5 s if the epoll were waited for all the same
  EXPECT_TRUE(io_.stopped());
  EXPECT_LT(Clock::now() - began, 5s);
}

TEST_F(PollerTest, RemembersWhatWasNotReadYet) {
  std::optional<ErrorCode> first;
  pollable_->wait_read(note(first));
  peer_writes(2);
  run();
  EXPECT_EQ(read(1), 1);
  std::optional<ErrorCode> second;
  pollable_->wait_read(note(second));
  io_.restart();
  run();
  EXPECT_TRUE(second);
}

TEST_F(PollerTest, WaitsForNewBytesOnceAllWereRead) {
  std::optional<ErrorCode> first;
  pollable_->wait_read(note(first));
  peer_writes(1);
  run();
  EXPECT_EQ(read(8), 1);
  pollable_->drained();
  std::optional<ErrorCode> second;
  pollable_->wait_read(note(second));
  io_.restart();
  for (int i = 0; i < 3; ++i) {
    io_.poll();
  }
  EXPECT_FALSE(second);
  peer_writes(1);
  run();
  EXPECT_TRUE(second);
}

TEST_F(PollerTest, KeepsAnEndThatCameTogetherWithBytes) {
  std::optional<ErrorCode> first;
  pollable_->wait_read(note(first));
  peer_writes(1);
  ::shutdown(ends_[1], SHUT_WR);
  run();
  EXPECT_EQ(read(8), 1);
  pollable_->drained();  // a short read looks like this
  std::optional<ErrorCode> second;
  pollable_->wait_read(note(second));
  io_.restart();
  run();
  ASSERT_TRUE(second);
  EXPECT_EQ(read(8), 0);
}

TEST_F(PollerTest, NeverGoesOnFromWithinTheWait) {
  std::optional<ErrorCode> first;
  pollable_->wait_read(note(first));
  peer_writes(1);
  run();
  std::optional<ErrorCode> second;
  pollable_->wait_read(note(second));
  EXPECT_FALSE(second);
  io_.restart();
  run();
  EXPECT_TRUE(second);
}

TEST_F(PollerTest, WakesReaderAndWriterEach) {
  std::optional<ErrorCode> read;
  std::optional<ErrorCode> written;
  peer_writes(1);
  pollable_->wait_read(note(read));
  pollable_->wait_write(note(written));
  run();
  EXPECT_TRUE(read);
  EXPECT_TRUE(written);
}

TEST_F(PollerTest, WakesAWriterWhenThereIsRoomAgain) {
  const std::array<char, 4096> block{};
  while (::send(ends_[0], block.data(), block.size(), 0) > 0) {
  }
  pollable_->filled();
  std::optional<ErrorCode> written;
  pollable_->wait_write(note(written));
  io_.poll();
  EXPECT_FALSE(written);
  std::array<char, 4096> sink{};
  while (::recv(ends_[1], sink.data(), sink.size(), 0) > 0) {
  }
  run();
  EXPECT_TRUE(written);
}

TEST_F(PollerTest, CancelsLater) {
  std::optional<ErrorCode> read;
  pollable_->wait_read(note(read));
  io_.poll();
  pollable_->cancel();
  EXPECT_FALSE(read);
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, asio::error::operation_aborted);
}

TEST_F(PollerTest, CancelsWhereTheStreamEnds) {
  std::optional<ErrorCode> read;
  pollable_->wait_read(note(read));
  io_.poll();
  pollable_.reset();
  run();
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, asio::error::operation_aborted);
}

TEST_F(PollerTest, WakesAfterItsStreamMoved) {
  std::optional<ErrorCode> first;
  pollable_->wait_read(note(first));
  peer_writes(1);
  run();
  EXPECT_EQ(read(8), 1);
  pollable_->drained();
  Pollable moved(std::move(*pollable_));
  std::optional<ErrorCode> second;
  moved.wait_read(note(second));
  peer_writes(1);
  io_.restart();
  run();
  EXPECT_TRUE(second);
}

TEST_F(PollerTest, ForgetsTheEventsOfWhatEndedInTheSameBatch) {
  // Both become readable at once; whichever runs first ends the other.
  std::array<int, 2> others{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, others.data()), 0);
  auto other = std::make_unique<Pollable>(Poller::of(io_.get_executor()));
  other->open(others[0]);
  int good = 0;
  struct Both {
    std::optional<Pollable>& mine;
    std::unique_ptr<Pollable>& other;
    int& good;
  } both{pollable_, other, good};
  pollable_->wait_read(Continuation([&both](ErrorCode error) {
    both.good += error ? 0 : 1;
    both.other.reset();
  }));
  other->wait_read(Continuation([&both](ErrorCode error) {
    both.good += error ? 0 : 1;
    both.mine.reset();
  }));
  peer_writes(1);
  ASSERT_EQ(::send(others[1], "x", 1, 0), 1);
  run();
  EXPECT_EQ(good, 1);
  ::close(others[0]);
  ::close(others[1]);
}

TEST_F(PollerTest, KnowsSilenceOnlyWhileEventsAreFresh) {
  std::array<int, 2> others{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, others.data()), 0);
  Pollable other(Poller::of(io_.get_executor()));
  other.open(others[0]);
  std::optional<ErrorCode> ignored;
  other.wait_read(note(ignored));
  ASSERT_EQ(::send(others[1], "x", 1, 0), 1);
  run();
  other.drained();
  EXPECT_FALSE(other.silent()) << "nobody looked just now";

  bool silent = false;
  struct Look {
    Pollable& other;
    bool& silent;
  } look{other, silent};
  pollable_->wait_read(Continuation([&look](ErrorCode) { look.silent = look.other.silent(); }));
  peer_writes(1);
  io_.restart();
  run();
  EXPECT_TRUE(silent);
  other.release();
  ::close(others[0]);
  ::close(others[1]);
}

TEST_F(PollerTest, KnowsOfBytesThatCameInTheSameBatch) {
  std::array<int, 2> others{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, others.data()), 0);
  Pollable other(Poller::of(io_.get_executor()));
  other.open(others[0]);
  std::optional<ErrorCode> ignored;
  other.wait_read(note(ignored));
  ASSERT_EQ(::send(others[1], "x", 1, 0), 1);
  run();
  other.drained();

  bool silent = true;
  struct Look {
    Pollable& other;
    bool& silent;
  } look{other, silent};
  pollable_->wait_read(Continuation([&look](ErrorCode) { look.silent = look.other.silent(); }));
  io_.restart();
  io_.poll();  // its registration tells of room to write, which would be an event of its own
  peer_writes(1);
  ASSERT_EQ(::send(others[1], "x", 1, 0), 1);  // told of after the one that looks
  run();
  EXPECT_FALSE(silent);
  other.release();
  ::close(others[0]);
  ::close(others[1]);
}

/// Many that always have something to read, until what one of them posted runs.
struct Crowd {
  struct One {
    explicit One(Crowd& all) : crowd(all), pollable(Poller::of(all.io.get_executor())) {
      EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends.data()), 0);
      pollable.open(ends[0]);
      ask();
    }
    ~One() {
      pollable.release();
      ::close(ends[0]);
      ::close(ends[1]);
    }
    One(const One&) = delete;
    One& operator=(const One&) = delete;
    void ask() {
      EXPECT_EQ(::send(ends[1], "x", 1, 0), 1);
      pollable.wait_read(Continuation([this](ErrorCode) { turn(); }));
    }
    void turn() {
      std::array<char, 4> text{};
      EXPECT_EQ(::recv(ends[0], text.data(), text.size(), 0), 1);
      pollable.drained();
      if (++crowd.turns == 1) {
        asio::post(crowd.io, [all = &crowd] { all->done = true; });
      }
      if (!crowd.done) {
        ask();
      }
    }
    Crowd& crowd;
    Pollable pollable;
    std::array<int, 2> ends{};
  };
  IoContext& io;
  std::list<One> members{};
  std::size_t turns = 0;
  bool done = false;
};

TEST_F(PollerTest, LetsPostedWorkRunWhereManyAreBusy) {
  Crowd crowd{io_};
  for (int i = 0; i < 150; ++i) {
    crowd.members.emplace_back(crowd);
  }
  const auto limit = Clock::now() + 5s;
  while (!crowd.done && Clock::now() < limit) {
    io_.run_one_for(1s);
  }
  EXPECT_TRUE(crowd.done);
  EXPECT_LE(crowd.turns, 400U) << "many batches in a row";
}

struct Told final : HangUpWatcher {
  void hung_up() override {
    ++times;
    if (then) {
      then();
    }
  }
  int times = 0;
  std::function<void()> then;
};

TEST_F(PollerTest, TellsOfAHangUpWhileNobodyReads) {
  Told told;
  EXPECT_FALSE(pollable_->watch(told, HangUp::kEnd));
  peer_writes(1);
  io_.poll();
  EXPECT_EQ(told.times, 0) << "bytes are no end";
  ::shutdown(ends_[1], SHUT_WR);
  run();
  EXPECT_EQ(told.times, 1);
  EXPECT_TRUE(io_.stopped()) << "told once, then nobody waits";
  EXPECT_TRUE(pollable_->watch(told, HangUp::kEnd)) << "known already";
}

TEST_F(PollerTest, TakesAHalfCloseForNoResetWhereOnlyThatIsWatched) {
  Told told;
  EXPECT_FALSE(pollable_->watch(told, HangUp::kReset));
  ::shutdown(ends_[1], SHUT_WR);
  io_.poll();
  EXPECT_EQ(told.times, 0);
  ::close(std::exchange(ends_[1], -1));
  run();
  EXPECT_EQ(told.times, 1);
}

TEST_F(PollerTest, TellsNobodyAfterUnwatchAndLetsTheLoopEnd) {
  Told told;
  EXPECT_FALSE(pollable_->watch(told, HangUp::kEnd));
  io_.poll();
  pollable_->unwatch();
  std::optional<ErrorCode> read;
  pollable_->wait_read(note(read));
  ::close(std::exchange(ends_[1], -1));
  run();
  EXPECT_TRUE(read);
  EXPECT_EQ(told.times, 0);
  EXPECT_TRUE(io_.stopped());
}

TEST_F(PollerTest, AWatcherMayDestroyWhatToldItAndWaitersGoOnAllTheSame) {
  Told told;
  told.then = [this] { pollable_.reset(); };
  std::optional<ErrorCode> read;
  pollable_->wait_read(note(read));
  EXPECT_FALSE(pollable_->watch(told, HangUp::kEnd));
  ::close(std::exchange(ends_[1], -1));
  run();
  EXPECT_EQ(told.times, 1);
  EXPECT_TRUE(read);
  EXPECT_TRUE(io_.stopped());
}

TEST_F(PollerTest, DropsWhoWaitsWhenTheContextEnds) {
  auto alive = std::make_shared<int>(1);
  const std::weak_ptr<int> watch = alive;
  {
    IoContext io{1};
    Pollable pollable(Poller::of(io.get_executor()));
    pollable.open(ends_[0]);
    pollable.wait_read(Continuation([alive = std::move(alive)](ErrorCode) { FAIL(); }));
    io.poll();
    EXPECT_FALSE(watch.expired());
    pollable.release();
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace pilotfish::net
