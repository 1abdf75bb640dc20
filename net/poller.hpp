#pragma once

#include <array>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cstddef>
#include <cstdint>
#include <new>
#include <sys/epoll.h>
#include <type_traits>
#include <utility>
#include <vector>

#include "net/asio.hpp"

namespace pilotfish::net {

/// What goes on once, with an error or without: a small function object kept in place, so that
/// waiting allocates nothing. Move-only; empty after it ran.
class Continuation {
 public:
  Continuation() = default;
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Continuation>) explicit Continuation(
      F&& function)
      : kind_(&kKind<std::decay_t<F>>) {
    using Kept = std::decay_t<F>;
    static_assert(sizeof(Kept) <= kRoom && alignof(Kept) <= alignof(void*));
    ::new (static_cast<void*>(room_.data())) Kept(std::forward<F>(function));
  }
  Continuation(Continuation&& other) noexcept : kind_(std::exchange(other.kind_, nullptr)) {
    if (kind_ != nullptr) {
      kind_->move(other.room_.data(), room_.data());
    }
  }
  Continuation& operator=(Continuation&& other) noexcept {
    if (this != &other) {
      this->~Continuation();
      ::new (this) Continuation(std::move(other));
    }
    return *this;
  }
  Continuation(const Continuation&) = delete;
  Continuation& operator=(const Continuation&) = delete;
  ~Continuation() {
    if (kind_ != nullptr) {
      std::exchange(kind_, nullptr)->destroy(room_.data());
    }
  }

  explicit operator bool() const { return kind_ != nullptr; }
  void operator()(ErrorCode error) { std::exchange(kind_, nullptr)->run(room_.data(), error); }

 private:
  static constexpr std::size_t kRoom = 16;
  struct Kind {
    void (*run)(void*, ErrorCode);
    void (*move)(void*, void*);
    void (*destroy)(void*);
  };
  template <class Kept>
  static constexpr Kind kKind{[](void* room, ErrorCode error) {
                                auto* kept = static_cast<Kept*>(room);
                                Kept function(std::move(*kept));
                                kept->~Kept();
                                std::move(function)(error);  // may destroy whatever held it
                              },
                              [](void* from, void* to) {
                                auto* kept = static_cast<Kept*>(from);
                                ::new (to) Kept(std::move(*kept));
                                kept->~Kept();
                              },
                              [](void* room) { static_cast<Kept*>(room)->~Kept(); }};

  alignas(void*) std::array<std::byte, kRoom> room_;  // NOLINT: kind_ says whether it is alive
  const Kind* kind_ = nullptr;
};

class Pollable;

/// Who is told that the other end of a connection is gone (Pollable::watch). Outlives its watch.
class HangUpWatcher {
 public:
  /// May close the stream that told it, or destroy it.
  virtual void hung_up() = 0;

 protected:
  ~HangUpWatcher() = default;
};

/// What counts as gone.
enum class HangUp : std::uint8_t {
  kEnd,    ///< the peer sends no more (a FIN), or worse
  kReset,  ///< nothing goes either way any more
};

/// Readiness of descriptors for one io_context: an epoll of its own in which each descriptor is
/// registered once, edge-triggered, for its whole life. Asio waits for the epoll as a whole.
/// Asio's own waiting without a buffer costs an epoll_ctl each time; this costs none, and takes
/// events in batches. Ownership: a service of its io_context; must outlive its Pollables.
/// Thread-safety: none; the io_context is run by one thread.
class Poller final : public asio::execution_context::service {
 public:
  using key_type = Poller;
  static inline asio::execution_context::id id;

  explicit Poller(IoContext& context);
  ~Poller() override;
  [[nodiscard]] static Poller& of(const Executor& executor) {
    return asio::use_service<Poller>(executor.context());
  }

  /// Runs it soon, never from within this call.
  void defer(Continuation continuation, ErrorCode error);
  /// Whoever went on may have posted something: that runs before further events are looked at, as
  /// it would with Asio's own reactor. For continuations that are more than a function of ours.
  void yield() { yields_ = true; }
  /// True while events of this very moment are being handed out: what a Pollable knows is fresh.
  [[nodiscard]] bool dispatching() const { return count_ > 0; }

 private:
  friend class Pollable;
  struct Deferred {
    Continuation continuation;
    ErrorCode error;
  };
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;
  static constexpr std::size_t kBatch = 128;
  /// Events in a row, where nobody yields, before timers, DNS and new connections get their turn.
  static constexpr std::size_t kTurn = 128;

  void shutdown() override;
  [[nodiscard]] bool add(Pollable& pollable);
  void readdress(Pollable& pollable);
  void remove(Pollable& pollable);
  void waits() {
    ++waiters_;
    if (!armed_ && count_ == 0) {
      arm();
    }
  }
  void arm();
  void dispatch();
  void run_deferred();
  /// After anything ran: waits on, or lets the io_context end where nobody waits.
  void settle();

  Executor executor_;
  Descriptor epoll_;
  std::array<epoll_event, kBatch> events_{};
  std::size_t next_ = 0;
  std::size_t count_ = 0;    ///< events in hand; 0 outside of dispatch()
  std::size_t waiters_ = 0;  ///< continuations and watches in Pollables
  bool armed_ = false;
  bool posted_ = false;
  bool shut_ = false;
  bool yields_ = false;
  std::vector<Deferred> deferred_;
  std::vector<Deferred> running_;
  Pollable* first_ = nullptr;  ///< all that are registered
};

/// One non-blocking descriptor and who waits for it: at most one for reading, one for writing, and
/// one who only wants to know that the other end is gone.
/// Remembers readiness between waits; whoever reads or writes reports when the kernel had no more.
/// Ownership: owned by a stream, holds no descriptor itself. Thread-safety: none.
class Pollable {
 public:
  explicit Pollable(Poller& poller) : poller_(&poller) {}
  /// Nobody may be waiting or watching.
  Pollable(Pollable&& other) noexcept;
  Pollable& operator=(Pollable&&) = delete;
  Pollable(const Pollable&) = delete;
  Pollable& operator=(const Pollable&) = delete;
  ~Pollable() { release(); }

  void open(int descriptor) { descriptor_ = descriptor; }
  [[nodiscard]] int descriptor() const { return descriptor_; }
  [[nodiscard]] Poller& poller() const { return *poller_; }

  /// Goes on when there may be something to read (the end or an error included), never from within
  /// this call.
  void wait_read(Continuation continuation);
  void wait_write(Continuation continuation);
  /// A read took all there was. An end that was told of is not forgotten.
  void drained() { ready_ &= static_cast<std::uint8_t>(~kRead); }
  /// A read took less than it had room for: the same, but where out-of-band data cuts reads short.
  void read_short() {
    if (!urgent_) {
      drained();
    }
  }
  /// A write found no more room.
  void filled() { ready_ &= static_cast<std::uint8_t>(~kWrite); }
  /// True where nothing came since drained(), as far as events were handed out; false: unknown.
  [[nodiscard]] bool silent() const {
    return registered_ && (ready_ & (kRead | kEnd | kError)) == 0 && poller_->dispatching();
  }

  /// Tells `watcher` once, while nobody has to read or write. One watch at a time; costs no system
  /// call where somebody waited before. True: it is gone already, and nobody will be told.
  [[nodiscard]] bool watch(HangUpWatcher& watcher, HangUp what);
  void unwatch();

  /// Whoever waits goes on soon, with operation_aborted. A watch stays.
  void cancel();
  /// Cancels and forgets the descriptor, before it is closed.
  void release();

 private:
  friend class Poller;
  static constexpr std::uint8_t kRead = 1;
  static constexpr std::uint8_t kWrite = 2;
  static constexpr std::uint8_t kEnd = 4;    ///< the peer sends no more
  static constexpr std::uint8_t kError = 8;  ///< or nothing goes either way

  void wait(Continuation& slot, Continuation continuation, std::uint8_t wanted);
  void note(std::uint32_t events);
  void wake();
  void abort(Continuation& slot);
  /// The continuation in `slot`, which no longer waits.
  [[nodiscard]] Continuation take(Continuation& slot);

  Poller* poller_;
  int descriptor_ = -1;
  bool registered_ = false;
  bool urgent_ = false;  ///< the peer sent out-of-band data once
  std::uint8_t ready_ = 0;
  std::uint8_t watched_ = 0;
  HangUpWatcher* watcher_ = nullptr;
  Continuation reader_;
  Continuation writer_;
  Pollable* next_ = nullptr;
  Pollable* previous_ = nullptr;
};

}  // namespace pilotfish::net
