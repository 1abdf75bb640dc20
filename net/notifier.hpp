#pragma once

#include <cstddef>

#include "net/asio.hpp"

namespace pilotfish::net {

/// Wakes suspended coroutines: a condition variable for one executor. A waiter re-checks its
/// condition after waking. Waiters cost one timer each, in their own frames.
/// Ownership: must outlive its waiters. Thread-safety: none; one executor.
class Notifier {
 public:
  explicit Notifier(Executor executor) : executor_(executor) {}
  ~Notifier() { notify_all(); }
  Notifier(const Notifier&) = delete;
  Notifier& operator=(const Notifier&) = delete;

  /// Suspends until notify_all() or the deadline. True where notified.
  [[nodiscard]] Awaitable<bool> wait_until(TimePoint deadline);
  void notify_all();
  void notify_one();  ///< the longest waiting
  [[nodiscard]] std::size_t waiting() const { return count_; }

 private:
  struct Waiter {
    Timer timer;
    bool notified = false;
    Waiter* next = nullptr;
    Waiter* previous = nullptr;
  };
  void unlink(Waiter& waiter);

  Executor executor_;
  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
  std::size_t count_ = 0;
};

}  // namespace pilotfish::net
