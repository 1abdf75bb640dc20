#include "net/offload.hpp"

#include <boost/asio/post.hpp>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <pthread.h>
#include <sys/resource.h>

namespace pilotfish::net {

namespace {

/// Behind the workers where processors are few, but not starved by them.
constexpr int kNicer = 5;

}  // namespace

struct Offload::Queue {
  struct Task {
    std::function<void()> run;
    bool must_run = false;  ///< somebody's end; a job without its thread is dropped
  };
  /// False after stop(): then it is the caller's to run.
  bool add(Task& task);
  void work();
  void stop();

  std::mutex mutex;
  std::condition_variable more;
  std::deque<Task> tasks;
  std::uint64_t jobs = 0;
  bool stopped = false;
  std::thread thread;
};

bool Offload::Queue::add(Task& task) {
  {
    const std::lock_guard lock(mutex);
    if (stopped) {
      return false;
    }
    if (!thread.joinable()) {
      thread = std::thread([this] { work(); });
    }
    tasks.push_back(std::move(task));
  }
  more.notify_one();
  return true;
}

void Offload::Queue::work() {
  (void)::pthread_setname_np(::pthread_self(), "offload");
  const int now = ::getpriority(PRIO_PROCESS, 0);  // of this thread alone, on Linux
  (void)::setpriority(PRIO_PROCESS, 0, now + kNicer);
  std::unique_lock lock(mutex);
  for (;;) {
    more.wait(lock, [this] { return stopped || !tasks.empty(); });
    if (stopped) {
      return;
    }
    auto task = std::move(tasks.front());
    tasks.pop_front();
    lock.unlock();
    task.run();
    task.run = nullptr;
    lock.lock();
  }
}

void Offload::Queue::stop() {
  {
    const std::lock_guard lock(mutex);
    stopped = true;
  }
  more.notify_all();
  if (thread.joinable()) {
    thread.join();
  }
  for (auto& task : tasks) {
    if (task.must_run) {
      task.run();
    }
  }
  tasks.clear();  // what the jobs held ends at once, as nothing is taken any more
}

Offload::Offload() : queue_(std::make_shared<Queue>()) {}

Offload::~Offload() {
  queue_->stop();
}

void Offload::push(Queue& queue, std::function<void()> task) {
  Queue::Task end{std::move(task), true};
  if (!queue.add(end)) {
    end.run();
  }
}

void Offload::start(std::shared_ptr<Waiting> waiting, std::function<void()> job) {
  auto* const queue = queue_.get();
  auto run = [queue, waiting = std::move(waiting), job = std::move(job)]() mutable {
    try {
      job();
    } catch (...) {
      waiting->error = std::current_exception();
    }
    job = nullptr;
    {
      const std::lock_guard lock(queue->mutex);
      ++queue->jobs;
    }
    const auto executor = waiting->executor;
    asio::post(executor, [waiting = std::move(waiting)] {
      waiting->done = true;
      waiting->timer.cancel();
    });
  };
  Queue::Task task{std::move(run), false};
  (void)queue_->add(task);
}

Awaitable<void> Offload::wait(std::shared_ptr<Waiting> waiting) {
  while (!waiting->done) {
    (void)co_await waiting->timer.async_wait(kTuple);
  }
}

std::uint64_t Offload::jobs() const {
  const std::lock_guard lock(queue_->mutex);
  return queue_->jobs;
}

std::thread::id Offload::thread() const {
  const std::lock_guard lock(queue_->mutex);
  return queue_->thread.get_id();
}

}  // namespace pilotfish::net
