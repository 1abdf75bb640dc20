#pragma once

#include <concepts>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <type_traits>
#include <utility>

#include "net/asio.hpp"

namespace pilotfish::net {

/// One thread beside the workers, for work that takes longer than a worker may pause: pure
/// functions of values that never change. Started with the first job; of lower priority than the
/// workers. Jobs run one after the other, in the order they came. Ownership: must end before the
/// io_contexts whose coroutines wait for it, and after their threads: what has not run by then
/// never does. Values made by keep() may outlive it. Thread-safety: every method from any thread
/// but the constructor and the destructor.
class Offload {
 public:
  Offload();
  ~Offload();
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  /// `make()` on the thread; its value, or its exception, on `executor`, whose coroutine waits.
  template <std::invocable Make>
  [[nodiscard]] Awaitable<std::invoke_result_t<Make>> run(Executor executor, Make make);

  /// A value that is destroyed on the thread, whoever lets go of it last.
  template <class T>
  [[nodiscard]] std::shared_ptr<const T> keep(T value) {
    return std::shared_ptr<const T>(new T(std::move(value)), [queue = queue_](const T* old) {
      push(*queue, [old] { delete old; });  // NOLINT(cppcoreguidelines-owning-memory)
    });
  }

  /// Jobs that ran so far (destructions are none).
  [[nodiscard]] std::uint64_t jobs() const;
  /// The thread, once it was needed.
  [[nodiscard]] std::thread::id thread() const;

 private:
  struct Queue;
  /// What a waiting coroutine and its job share; ends on the coroutine's executor.
  struct Waiting {
    explicit Waiting(Executor where) : executor(where), timer(where, TimePoint::max()) {}
    Executor executor;
    Timer timer;
    bool done = false;
    std::exception_ptr error;
  };
  template <class T>
  struct Result : Waiting {
    using Waiting::Waiting;
    std::optional<T> value;
  };

  static void push(Queue& queue, std::function<void()> task);
  /// Runs `job` on the thread and wakes `waiting` after it.
  void start(std::shared_ptr<Waiting> waiting, std::function<void()> job);
  [[nodiscard]] static Awaitable<void> wait(std::shared_ptr<Waiting> waiting);

  std::shared_ptr<Queue> queue_;
};

template <std::invocable Make>
Awaitable<std::invoke_result_t<Make>> Offload::run(Executor executor, Make make) {
  const auto result = std::make_shared<Result<std::invoke_result_t<Make>>>(executor);
  // The job must not own the result: it would end on the wrong thread. start() keeps it alive.
  start(result,
        [raw = result.get(), job = std::move(make)]() mutable { raw->value.emplace(job()); });
  co_await wait(result);
  if (result->error) {
    std::rethrow_exception(result->error);
  }
  co_return std::move(*result->value);
}

}  // namespace pilotfish::net
