#pragma once

#include <boost/asio/co_spawn.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <utility>

#include "net/buffer.hpp"
#include "net/deadlines.hpp"
#include "net/notifier.hpp"
#include "net/splice.hpp"
#include "net/write.hpp"
#include "proxy/worker.hpp"

namespace pilotfish::proxy {

/// What a relay carried, and whether it broke (a reset or the idle timeout) instead of ending.
struct RelayEnd {
  std::uint64_t up = 0;    ///< bytes from a to b
  std::uint64_t down = 0;  ///< bytes from b to a
  bool broken = false;
  bool idle = false;
};

/// Told of bytes as they move; both may be empty.
struct RelayCount {
  std::function<void(std::uint64_t)> up;
  std::function<void(std::uint64_t)> down;
};

/// Carries bytes both ways between two streams until both ended (half-close is passed on), one
/// broke, or nothing moved for `idle_timeout`. Back-pressure: a direction reads only after it has
/// written; an idle direction holds neither buffer nor pipe. A direction that proves bulk is
/// spliced where both streams can. Whoever ended its direction is watched for a reset, which
/// nobody would read any more. Ownership: the streams and buffers outlive run(). Thread-safety:
/// none.
template <net::Stream A, net::Stream B>
class Relay final : public net::Deadline, private net::HangUpWatcher {
 public:
  Relay(Worker& worker, A& a, net::Buffer& from_a, B& b, net::Buffer& from_b, Duration idle_timeout,
        RelayCount count)
      : Deadline(worker.deadlines),
        executor_(worker.executor),
        a_(a),
        b_(b),
        up_{from_a, net::SpliceWay(worker.pipes), std::move(count.up)},
        down_{from_b, net::SpliceWay(worker.pipes), std::move(count.down)},
        idle_timeout_(idle_timeout),
        joined_(worker.executor) {}

  [[nodiscard]] net::Awaitable<RelayEnd> run() {
    moved();
    ++running_;
    net::asio::co_spawn(executor_, carry(b_, a_, down_),
                        [this](const std::exception_ptr&) { ended(); });
    ++running_;
    co_await carry(a_, b_, up_);
    ended();
    while (running_ > 0) {
      (void)co_await joined_.wait_until(TimePoint::max());
    }
    clear();
    a_.unwatch();
    b_.unwatch();
    end_.up = up_.total;
    end_.down = down_.total;
    co_return end_;
  }

 private:
  /// One direction.
  struct Way {
    net::Buffer& buffer;
    net::SpliceWay splice;
    std::function<void(std::uint64_t)> counted;
    std::uint64_t total = 0;

    void rest() {
      buffer.release();
      splice.pipe.release();
    }
  };

  void ended() {
    --running_;
    joined_.notify_all();
  }
  void moved() {
    if (!end_.broken) {
      set(Clock::now() + idle_timeout_);
    }
  }
  void on_deadline() override {
    end_.idle = end_.idle || !end_.broken;
    fail();
  }
  void hung_up() override { fail(); }
  /// `from` sends no more; what it was sent may still be on its way.
  template <class From, class To>
  void end_direction(From& from, To& to) {
    to.unwatch();
    to.shutdown_send();
    if (!std::exchange(half_, true) && from.watch(*this, net::HangUp::kReset)) {
      fail();
    }
  }
  void fail() {
    end_.broken = true;
    a_.cancel();
    b_.cancel();
    // A direction whose wait had just ended begins another one: cancelled again until both ended.
    set(Clock::now() + std::chrono::milliseconds(20));
  }

  template <class From, class To>
  net::Awaitable<void> carry(From& from, To& to, Way& way) {
    bool likely = true;  // more may be there without waiting
    std::uint32_t turns = 0;
    while (!end_.broken) {
      if (way.buffer.empty()) {
        if (!likely) {
          way.rest();
          const auto waited = co_await from.wait_readable();
          if (std::get<0>(waited)) {
            fail();
            co_return;
          }
        }
        const auto [error, size] =
            net::read_some<To>(from, way.buffer, way.splice, net::PipePool::kCapacity);
        if (net::would_block(error)) {
          likely = false;
          continue;
        }
        if (error) {
          way.rest();
          if (error == net::asio::error::eof) {
            end_direction(from, to);
          } else {
            fail();
          }
          co_return;
        }
        const bool spliced = way.buffer.empty();
        likely = (spliced || size == net::BufferPool::kSize) && ++turns % net::kTurns != 0;
        moved();
      }
      std::size_t size = way.buffer.size();
      net::ErrorCode failed;
      if (size == 0) {
        size = way.splice.pipe.held();
        if constexpr (net::Splices<To>) {
          const bool sent = net::drain_now(to, *way.splice.pipe, failed);
          if (!sent) {
            failed = co_await net::drain_rest(to, *way.splice.pipe, [this] { moved(); });
          }
        }
      } else {
        net::Gather gather;
        gather.add(way.buffer.readable());
        const bool sent = net::write_now(to, gather, failed);
        if (!sent) {
          failed = co_await net::write_rest(to, gather, [this] { moved(); });
        }
      }
      if (failed) {
        fail();
        co_return;
      }
      way.total += size;
      if (way.counted) {
        way.counted(size);
      }
      way.buffer.consume(way.buffer.size());
    }
  }

  net::Executor executor_;
  A& a_;
  B& b_;
  Way up_;
  Way down_;
  Duration idle_timeout_;
  net::Notifier joined_;
  int running_ = 0;
  bool half_ = false;  ///< one direction has ended
  RelayEnd end_;
};

}  // namespace pilotfish::proxy
