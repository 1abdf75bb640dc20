#include "app/disk_thread.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <thread>
#include <utility>

namespace pilotfish::app {
namespace {

constexpr Duration kLookAgain = std::chrono::milliseconds(5);

}  // namespace

struct DiskThread::Queue {
  void work();

  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::function<void()>> jobs;  ///< the one that runs is the first
  bool started = false;
  bool last = false;  ///< nothing follows
};

void DiskThread::Queue::work() {
  (void)::pthread_setname_np(::pthread_self(), "state");
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] { return last || !jobs.empty(); });
    if (jobs.empty()) {
      return;
    }
    auto job = std::move(jobs.front());
    lock.unlock();
    job();
    job = nullptr;
    lock.lock();
    jobs.pop_front();
    changed.notify_all();
  }
}

DiskThread::DiskThread() : queue_(std::make_shared<Queue>()) {}

DiskThread::~DiskThread() {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->last = true;
  }
  queue_->changed.notify_all();
}

void DiskThread::run(std::function<void()> job) {
  {
    const std::lock_guard lock(queue_->mutex);
    queue_->jobs.push_back(std::move(job));
    if (!std::exchange(queue_->started, true)) {
      std::thread([queue = queue_] { queue->work(); }).detach();
    }
  }
  queue_->changed.notify_all();
}

bool DiskThread::idle() const {
  const std::lock_guard lock(queue_->mutex);
  return queue_->jobs.empty();
}

bool DiskThread::wait(Duration limit) const {
  std::unique_lock lock(queue_->mutex);
  return queue_->changed.wait_for(lock, limit, [this] { return queue_->jobs.empty(); });
}

net::Awaitable<bool> DiskThread::wait(net::Executor executor, TimePoint deadline) const {
  const auto queue = queue_;  // the owner may let go of us meanwhile
  net::Timer timer(executor);
  for (;;) {
    {
      const std::lock_guard lock(queue->mutex);
      if (queue->jobs.empty()) {
        co_return true;
      }
    }
    if (Clock::now() >= deadline) {
      co_return false;
    }
    timer.expires_after(kLookAgain);
    (void)co_await timer.async_wait(net::kTuple);
  }
}

}  // namespace pilotfish::app
