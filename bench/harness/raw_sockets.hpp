#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// Sockets without a library between: load and backends must cost less than what they measure.

/// Owns a file descriptor. Thread-safety: none.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool open() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

/// A non-blocking listening socket on any port of 127.0.0.1, and which. Throws std::system_error.
[[nodiscard]] std::pair<Descriptor, Endpoint> listen_anywhere();

/// Begins a non-blocking connection with TCP_NODELAY; closed where that fails at once (errno).
/// `source`: 0: any; else the connection comes from 127.0.1.`source`, so that many short
/// connections do not use up the ports of one address.
[[nodiscard]] Descriptor connect_to(const Endpoint& endpoint, unsigned source = 0);

/// The error of a connection that was begun; 0 where it stands.
[[nodiscard]] int connect_error(int fd);

/// An epoll instance, edge-triggered for reading, writing and the peer's end. Thread-safety: none.
class Poller {
 public:
  /// Throws std::system_error.
  Poller();
  /// Events of this descriptor come with this pointer. Closing the descriptor ends it.
  void add(int fd, void* owner);
  struct Event {
    void* owner = nullptr;
    bool readable = false;
    bool writable = false;
  };
  /// Waits at most this long (negative: forever) and calls back for each event.
  template <class Function>
  void wait(std::int64_t timeout_ns, Function&& function) {
    const int count = wait_raw(timeout_ns);
    for (int i = 0; i < count; ++i) function(event(i));
  }

 private:
  static constexpr int kBatch = 256;
  int wait_raw(std::int64_t timeout_ns);
  [[nodiscard]] Event event(int index) const;

  Descriptor epoll_;
  alignas(8) unsigned char raw_[kBatch * 16];
};

/// Timers of the calling thread fire when they are due, not up to 50 us later.
void sharpen_timers();

/// As many descriptors as the system lets us have; what we start inherits it.
std::size_t raise_descriptor_limit();

}  // namespace pilotfish::bench
