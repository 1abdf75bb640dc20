#pragma once

#include <functional>
#include <memory>

#include "net/asio.hpp"

namespace pilotfish::app {

/// A thread for work on a disk that may stall for good (a dead NFS server, a full controller): one
/// job after the other, in the order they came. Started with the first one. Nobody waits for it
/// longer than he says, not even the destructor: the thread ends by itself behind its last job, and
/// a stuck one is left alone. So a job owns all it uses.
/// Thread-safety: any thread.
class DiskThread {
 public:
  DiskThread();
  ~DiskThread();
  DiskThread(const DiskThread&) = delete;
  DiskThread& operator=(const DiskThread&) = delete;

  void run(std::function<void()> job);
  /// Every job has ended. What they did is seen by whoever asked.
  [[nodiscard]] bool idle() const;
  /// Blocks until then; false where the limit came first.
  [[nodiscard]] bool wait(Duration limit) const;
  /// The same for a coroutine.
  [[nodiscard]] net::Awaitable<bool> wait(net::Executor executor, TimePoint deadline) const;

 private:
  struct Queue;
  std::shared_ptr<Queue> queue_;
};

}  // namespace pilotfish::app
