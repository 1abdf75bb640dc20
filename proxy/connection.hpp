#pragma once

#include <algorithm>
#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <vector>

#include "balancer/cluster.hpp"
#include "net/buffer.hpp"
#include "net/deadlines.hpp"
#include "net/tcp_stream.hpp"
#include "proxy/connection_slots.hpp"
#include "proxy/upstream_metrics.hpp"

namespace pilotfish::proxy {

// The streams of the data plane. Sessions use what net::Stream promises and nothing else of them.
using ClientStream = net::TcpStream;
using UpstreamStream = net::TcpStream;

class InstanceLink;

/// One connection to an instance: its stream, what was read of it, and its deadline. Holds a slot.
class Connection final : public net::Deadline, private net::HangUpWatcher {
 public:
  Connection(net::Executor executor, net::BufferPool& buffers, net::Deadlines& deadlines, Slot slot)
      : Deadline(deadlines), stream(executor), in(buffers), slot_(std::move(slot)) {}
  ~Connection() override { stream.close(); }
  /// For another connection in the place of this one.
  [[nodiscard]] Slot take_slot() { return std::move(slot_); }

  /// It has nothing to do from now on. `pool` hears of its end until it is resumed; nullptr: nobody
  /// does. False: it has ended already.
  [[nodiscard]] bool rest(InstanceLink* pool, TimePoint now);
  void resume() {
    stream.unwatch();
    reused = true;
  }

  UpstreamStream stream;
  net::Buffer in;
  bool reused = false;
  TimePoint idle_since{};

  /// Nothing is expected any more, and what was, was in time.
  void clear() {
    Deadline::clear();
    expired_ = false;
  }
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
  void hung_up() override;
  Slot slot_;
  InstanceLink* pool_ = nullptr;
  TimePoint last_{};
  Duration silence_{};  ///< zero: nobody looks
  bool expired_ = false;
  bool lost_ = false;  ///< for good
};

/// How long an instance leaves kept connections alone, as far as it was seen to close them: what a
/// request that cannot be repeated must know. Pure.
class ClosingHabit {
 public:
  /// So long one that was seen counts.
  static constexpr Duration kRemembered = std::chrono::minutes(1);

  /// It closed one that was idle for `idle`, or broke one just taken.
  void closed_after(Duration idle, TimePoint now);
  /// Idle for less than this, a connection is not about to be closed: half of the shortest seen.
  [[nodiscard]] Duration safe_idle(TimePoint now) const {
    return now - seen_ > kRemembered ? Duration::max() : shortest_ / 2;
  }

 private:
  Duration shortest_ = Duration::max();
  TimePoint seen_{};
};

/// What the data plane hangs on an instance: its idle connections and its metric handles. It stands
/// in its upstream's list of pools while it may have idle connections.
class InstanceLink final : public balancer::InstanceAttachment,
                           public boost::intrusive::list_base_hook<
                               boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  explicit InstanceLink(InstanceMetrics handles) : metrics(std::move(handles)) {}

  /// How sure a request has to be of a kept connection.
  enum class Care : std::uint8_t {
    kEvents,  ///< the events of this moment tell whether it ended, which saves a system call
    kKernel,  ///< the kernel is asked
    kHabit,   ///< for one that could not be repeated: nor will the instance close it just now
  };
  /// The idle connection used last, or nullptr; closed and readable ones are thrown away.
  [[nodiscard]] ConnectionPtr take(Care care, TimePoint now);
  void give(ConnectionPtr connection, TimePoint now);
  /// Closes what was idle since before `limit`, or is not silent any more.
  void prune(TimePoint limit);
  /// Closes the connection idle for longest; false where there is none.
  bool close_one();
  /// A new connection is made although there are idle ones, which are not to be trusted: instead of
  /// one of those. Reset, as it carries nothing: no port waits for late segments of it.
  void replace_one();
  void close_all() { idle_.clear(); }
  [[nodiscard]] std::size_t idle() const { return idle_.size(); }
  /// An idle one ended: it is destroyed.
  void ended(const Connection& connection);

  InstanceMetrics metrics;
  ClosingHabit habit;

 private:
  std::vector<ConnectionPtr> idle_;  ///< newest last
};

using PoolList = boost::intrusive::list<InstanceLink, boost::intrusive::constant_time_size<false>>;

[[nodiscard]] inline InstanceLink& link_of(balancer::InstanceState& instance) {
  return static_cast<InstanceLink&>(*instance.attachment);
}

}  // namespace pilotfish::proxy
