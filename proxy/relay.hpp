#pragma once

#include <boost/asio/co_spawn.hpp>
#include <cstdint>
#include <exception>
#include <functional>
#include <utility>

#include "net/buffer.hpp"
#include "net/deadlines.hpp"
#include "net/notifier.hpp"
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
/// written; an idle direction holds no buffer.
/// Ownership: the streams and buffers outlive run(). Thread-safety: none.
template <net::Stream A, net::Stream B>
class Relay final : public net::Deadline {
 public:
  Relay(Worker& worker, A& a, net::Buffer& from_a, B& b, net::Buffer& from_b, Duration idle_timeout,
        RelayCount count)
      : Deadline(worker.deadlines),
        executor_(worker.executor),
        a_(a),
        from_a_(from_a),
        b_(b),
        from_b_(from_b),
        idle_timeout_(idle_timeout),
        count_(std::move(count)),
        joined_(worker.executor) {}

  [[nodiscard]] net::Awaitable<RelayEnd> run() {
    moved();
    ++running_;
    net::asio::co_spawn(executor_, carry(b_, from_b_, a_, end_.down, count_.down),
                        [this](const std::exception_ptr&) { ended(); });
    ++running_;
    co_await carry(a_, from_a_, b_, end_.up, count_.up);
    ended();
    while (running_ > 0) {
      (void)co_await joined_.wait_until(TimePoint::max());
    }
    clear();
    co_return end_;
  }

 private:
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
  void fail() {
    end_.broken = true;
    a_.cancel();
    b_.cancel();
    // A direction whose wait had just ended begins another one: cancelled again until both ended.
    set(Clock::now() + std::chrono::milliseconds(20));
  }

  template <class From, class To>
  net::Awaitable<void> carry(From& from, net::Buffer& buffer, To& to, std::uint64_t& total,
                             const std::function<void(std::uint64_t)>& counted) {
    bool likely = true;  // more may be there without waiting
    std::uint32_t turns = 0;
    while (!end_.broken) {
      if (buffer.empty()) {
        if (!likely) {
          buffer.release();
          const auto waited = co_await from.wait_readable();
          if (std::get<0>(waited)) {
            fail();
            co_return;
          }
        }
        const auto room = buffer.make_room();
        const auto [error, size] = from.try_read(room);
        if (net::would_block(error)) {
          likely = false;
          continue;
        }
        if (error) {
          buffer.release();
          if (error == net::asio::error::eof) {
            to.shutdown_send();
          } else {
            fail();
          }
          co_return;
        }
        buffer.commit(size);
        likely = size == room.size() && ++turns % net::kTurns != 0;
        moved();
      }
      net::Gather gather;
      gather.add(buffer.readable());
      net::ErrorCode failed;
      const bool sent = net::write_now(to, gather, failed);
      if (!sent) {
        failed = co_await net::write_rest(to, gather, [this] { moved(); });
      }
      if (failed) {
        fail();
        co_return;
      }
      total += buffer.size();
      if (counted) {
        counted(buffer.size());
      }
      buffer.consume(buffer.size());
    }
  }

  net::Executor executor_;
  A& a_;
  net::Buffer& from_a_;
  B& b_;
  net::Buffer& from_b_;
  Duration idle_timeout_;
  RelayCount count_;
  net::Notifier joined_;
  int running_ = 0;
  RelayEnd end_;
};

}  // namespace pilotfish::proxy
