#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "balancer/cluster.hpp"
#include "net/asio.hpp"

namespace pilotfish::proxy {

class Connection;
using ConnectionPtr = std::unique_ptr<Connection>;
class ConnectionSlots;

/// The right to one connection. Going, it goes to whoever waits longest for one.
class Slot {
 public:
  Slot() = default;
  Slot(Slot&&) = default;
  Slot& operator=(Slot&& other) noexcept {
    give();
    slots_ = std::move(other.slots_);
    return *this;
  }
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  ~Slot() { give(); }
  explicit operator bool() const { return slots_ != nullptr; }

 private:
  friend class ConnectionSlots;
  explicit Slot(std::shared_ptr<ConnectionSlots> slots) : slots_(std::move(slots)) {}
  void give();
  std::shared_ptr<ConnectionSlots> slots_;
};

/// Counts the connections of one upstream against `limits.connections`, and queues the requests
/// that wait for one (`limits.pending`), first come first served. While anybody waits nothing is
/// free: slots and kept connections are handed to the first of them, so that nobody overtakes.
/// Thread-safety: none; one per upstream and worker.
class ConnectionSlots final : public std::enable_shared_from_this<ConnectionSlots> {
 public:
  /// One request in the queue. Ownership: of whoever waits.
  struct Waiter {
    /// `wants`: whose kept connection will do; nullptr: only a slot will.
    Waiter(net::Executor executor, TimePoint deadline, const balancer::InstanceState* wants);
    ~Waiter();
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    net::Timer timer;
    const balancer::InstanceState* wanted;
    Slot slot;                 ///< what it got, one of the two or neither
    ConnectionPtr connection;  ///< kept, and not looked at since
    bool queued = false;
    Waiter* next = nullptr;
    Waiter* previous = nullptr;
  };

  ConnectionSlots(std::uint32_t most, std::uint32_t most_pending)
      : most_(most), most_pending_(most_pending) {}

  /// Empty where none is free.
  [[nodiscard]] Slot try_take();
  /// Waits until it got something, leave(), or its deadline.
  [[nodiscard]] net::Awaitable<void> wait(Waiter& waiter);
  void leave(Waiter& waiter);
  [[nodiscard]] bool first_wants(const balancer::InstanceState& instance) const {
    return first_ != nullptr && first_->wanted == &instance;
  }
  /// To the first, who must want it.
  void hand_over(ConnectionPtr connection);

  /// Waiting requests get what a higher limit allows.
  void set_limits(std::uint32_t most, std::uint32_t most_pending);
  [[nodiscard]] bool queue_full() const { return pending_ >= most_pending_; }
  [[nodiscard]] std::uint32_t open() const { return open_; }
  [[nodiscard]] bool full() const { return open_ >= most_; }
  [[nodiscard]] std::size_t pending() const { return pending_; }

 private:
  friend class Slot;
  void give();
  void serve();
  void unlink(Waiter& waiter);

  std::uint32_t most_;
  std::uint32_t most_pending_;
  std::uint32_t open_ = 0;
  std::size_t pending_ = 0;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

inline void Slot::give() {
  if (const auto slots = std::exchange(slots_, nullptr)) {
    slots->give();
  }
}

}  // namespace pilotfish::proxy
