#pragma once

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "balancer/cluster.hpp"
#include "net/buffer.hpp"
#include "net/deadlines.hpp"
#include "net/notifier.hpp"
#include "net/tcp_stream.hpp"
#include "proxy/upstream_metrics.hpp"

namespace pilotfish::proxy {

// The streams of the data plane. Sessions use what net::Stream promises and nothing else of them.
using ClientStream = net::TcpStream;
using UpstreamStream = net::TcpStream;

/// Counts the connections of one upstream against `limits.connections` and the requests that wait
/// for one against `limits.pending`. Thread-safety: none; one per upstream and worker.
class ConnectionSlots {
 public:
  ConnectionSlots(net::Executor executor, std::uint32_t most, std::uint32_t most_pending)
      : most_(most), most_pending_(most_pending), freed_(executor) {}

  [[nodiscard]] bool try_take() {
    if (open_ >= most_) {
      return false;
    }
    ++open_;
    return true;
  }
  void give() {
    --open_;
    freed_.notify_one();
  }
  /// An idle connection went into the pool: whoever waits may use that one instead.
  void idle_available() {
    if (freed_.waiting() > 0) {
      freed_.notify_one();
    }
  }
  [[nodiscard]] bool queue_full() const { return freed_.waiting() >= most_pending_; }
  /// Waits until something was freed or the deadline; try again after.
  [[nodiscard]] net::Awaitable<bool> wait(TimePoint deadline) {
    return freed_.wait_until(deadline);
  }
  void set_limits(std::uint32_t most, std::uint32_t most_pending) {
    most_ = most;
    most_pending_ = most_pending;
  }
  /// There may be room now: whoever waits looks again.
  void limits_changed() { freed_.notify_all(); }
  [[nodiscard]] std::uint32_t open() const { return open_; }
  [[nodiscard]] bool full() const { return open_ >= most_; }
  [[nodiscard]] std::size_t pending() const { return freed_.waiting(); }

 private:
  std::uint32_t most_;
  std::uint32_t most_pending_;
  std::uint32_t open_ = 0;
  net::Notifier freed_;
};

/// One connection to an instance: its stream, what was read of it, and its deadline. Holds a slot.
class Connection final : public net::Deadline {
 public:
  Connection(net::Executor executor, net::BufferPool& buffers, net::Deadlines& deadlines,
             std::shared_ptr<ConnectionSlots> slots)
      : Deadline(deadlines), stream(executor), in(buffers), slots_(std::move(slots)) {}
  ~Connection() override {
    stream.close();
    slots_->give();
  }

  UpstreamStream stream;
  net::Buffer in;
  bool reused = false;
  TimePoint idle_since{};

  void expect_within(TimePoint at) {
    expired_ = false;
    last_ = at;
    silence_ = {};
    set(at);
  }
  /// The same, and every `silence` a look at whether the instance's host is there at all; where it
  /// is not, what waits ends early and lost() says why.
  void expect_heard_within(TimePoint at, Duration silence, TimePoint now) {
    expect_within(at);
    silence_ = silence;
    set(std::min(at, now + silence));
  }
  [[nodiscard]] bool expired() const { return expired_; }
  [[nodiscard]] bool lost() const { return lost_; }

 private:
  void on_deadline() override;
  std::shared_ptr<ConnectionSlots> slots_;
  TimePoint last_{};
  Duration silence_{};  ///< zero: nobody looks
  bool expired_ = false;
  bool lost_ = false;  ///< for good
};
using ConnectionPtr = std::unique_ptr<Connection>;

/// What the data plane hangs on an instance: its idle connections and its metric handles. It stands
/// in its upstream's list of pools while it may have idle connections.
class InstanceLink final : public balancer::InstanceAttachment,
                           public boost::intrusive::list_base_hook<
                               boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit InstanceLink(InstanceMetrics handles) : metrics(std::move(handles)) {}

  /// The idle connection used last, or nullptr; closed and readable ones are thrown away. `surely`:
  /// the kernel is asked, for a request that could not be repeated; otherwise the events of this
  /// moment tell, which saves a system call.
  [[nodiscard]] ConnectionPtr take(bool surely);
  void give(ConnectionPtr connection, TimePoint now);
  /// Closes what was idle since before `limit`, or is not silent any more.
  void prune(TimePoint limit);
  /// Closes the connection idle for longest; false where there is none.
  bool close_one();
  void close_all() { idle_.clear(); }
  [[nodiscard]] std::size_t idle() const { return idle_.size(); }

  InstanceMetrics metrics;

 private:
  std::vector<ConnectionPtr> idle_;  ///< newest last
};

using PoolList = boost::intrusive::list<InstanceLink, boost::intrusive::constant_time_size<false>>;

[[nodiscard]] inline InstanceLink& link_of(balancer::InstanceState& instance) {
  return static_cast<InstanceLink&>(*instance.attachment);
}

}  // namespace pilotfish::proxy
