#pragma once

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <exception>
#include <future>
#include <thread>
#include <utility>

#include "net/asio.hpp"

namespace pilotfish::bench {

/// An event loop with a thread of its own. What the harness runs (registry, backends, load) each
/// has one, so that none of them delays another.
/// Ownership: outlives what runs on it; the destructor stops the loop and joins, and frames that
/// are still suspended are destroyed with the loop: coroutines therefore own their state.
class LoopThread {
 public:
  LoopThread() : loop_(1), work_(loop_.get_executor()), thread_([this] { loop_.run(); }) {}
  ~LoopThread() {
    loop_.stop();
    thread_.join();
  }
  LoopThread(const LoopThread&) = delete;
  LoopThread& operator=(const LoopThread&) = delete;

  [[nodiscard]] net::Executor executor() { return loop_.get_executor(); }

  /// Runs the function on the loop and waits for its result; what it throws arrives here.
  /// Not from the loop itself.
  template <class Function>
  auto run(Function function) {
    std::packaged_task<decltype(function())()> task(std::move(function));
    auto result = task.get_future();
    net::asio::post(loop_, [task = std::move(task)]() mutable { task(); });
    return result.get();
  }

 private:
  net::IoContext loop_;
  net::asio::executor_work_guard<net::Executor> work_;
  std::thread thread_;
};

}  // namespace pilotfish::bench
