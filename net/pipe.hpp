#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace pilotfish::net {

/// A pipe of the kernel: what splice(2) moves bytes through from one socket to another, pages
/// instead of copies. Owns its two descriptors. Thread-safety: none.
class Pipe {
 public:
  Pipe() = default;
  ~Pipe() { close(); }
  Pipe(Pipe&& other) noexcept { swap(other); }
  Pipe& operator=(Pipe&& other) noexcept {
    swap(other);
    return *this;
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  /// As large as the system lets us have it, up to `wanted` bytes; closed where there is none (no
  /// descriptor is free).
  [[nodiscard]] static Pipe open(std::size_t wanted);

  [[nodiscard]] bool is_open() const { return out_ >= 0; }
  [[nodiscard]] int reader() const { return out_; }
  [[nodiscard]] int writer() const { return in_; }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }
  /// Bytes in it; kept by whoever splices.
  [[nodiscard]] std::size_t held() const { return held_; }
  void filled(std::size_t n) { held_ += n; }
  void drained(std::size_t n) { held_ -= n; }

 private:
  void close();
  void swap(Pipe& other) noexcept {
    std::swap(in_, other.in_);
    std::swap(out_, other.out_);
    std::swap(capacity_, other.capacity_);
    std::swap(held_, other.held_);
  }

  int in_ = -1;
  int out_ = -1;
  std::size_t capacity_ = 0;
  std::size_t held_ = 0;
};

/// The pipes of one worker: taken while a stream is bulk, given back when it is drained. Bounded,
/// because every pipe is two descriptors that connections may want. Ownership: must outlive its
/// leases. Thread-safety: none.
class PipePool {
 public:
  /// Bytes in flight in one pipe. More holds more of the kernel's memory for a reader that stalls;
  /// beyond this the calls saved are not measurable.
  static constexpr std::size_t kCapacity = 256UL * 1024;
  static constexpr std::size_t kLeast = 64UL * 1024;  ///< a smaller one is not worth it

  explicit PipePool(std::size_t most) : most_(most) {}

  /// Closed where all are taken or the process has no descriptor left: then bytes are copied.
  [[nodiscard]] Pipe take();
  /// Keeps an empty pipe for the next; closes one that still holds bytes.
  void give(Pipe pipe);
  /// Now and then: closes half of what nobody needed since the last time.
  void trim();
  void set_most(std::size_t most) { most_ = most; }

  [[nodiscard]] std::size_t taken() const { return taken_; }
  [[nodiscard]] std::size_t idle() const { return idle_.size(); }

 private:
  /// After a failure so many takers are sent away without asking the kernel again.
  static constexpr std::uint32_t kPause = 64;

  std::size_t most_;
  std::size_t taken_ = 0;
  std::size_t unused_ = 0;  ///< fewest idle ones since the last trim
  std::uint32_t pause_ = 0;
  std::vector<Pipe> idle_;
};

/// One stream direction's claim on a pipe. Thread-safety: none.
class PipeLease {
 public:
  explicit PipeLease(PipePool& pool) : pool_(&pool) {}
  ~PipeLease() { release(); }
  PipeLease(const PipeLease&) = delete;
  PipeLease& operator=(const PipeLease&) = delete;

  /// True where there is a pipe now; takes one where there is none yet.
  [[nodiscard]] bool hold() {
    if (!pipe_.is_open()) {
      pipe_ = pool_->take();
    }
    return pipe_.is_open();
  }
  void release() {
    if (pipe_.is_open()) {
      pool_->give(std::exchange(pipe_, Pipe{}));
    }
  }
  [[nodiscard]] Pipe& operator*() { return pipe_; }
  /// Bytes that were read and not yet written.
  [[nodiscard]] std::size_t held() const { return pipe_.held(); }

 private:
  PipePool* pool_;
  Pipe pipe_;
};

}  // namespace pilotfish::net
