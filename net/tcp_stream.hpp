#pragma once

#include <span>
#include <sys/socket.h>

#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "net/asio.hpp"
#include "net/poller.hpp"
#include "net/splice.hpp"

namespace pilotfish::net {

[[nodiscard]] asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint);
[[nodiscard]] Endpoint from_asio(const asio::ip::tcp::endpoint& endpoint);
/// Of what accept() or getpeername() filled; unspecified where it is neither IPv4 nor IPv6.
[[nodiscard]] Endpoint endpoint_of(const sockaddr_storage& address);

/// A TCP connection as a stream. Owns its descriptor; closing is idempotent.
/// Thread-safety: none. Errors: as the kernel gives them; no exceptions.
class TcpStream {
 public:
  explicit TcpStream(Executor executor) : pollable_(Poller::of(executor)) {}
  /// Takes over a connected, non-blocking descriptor.
  TcpStream(Executor executor, int descriptor, const Endpoint& remote);
  TcpStream(TcpStream&& other) noexcept;
  TcpStream& operator=(TcpStream&&) = delete;
  TcpStream(const TcpStream&) = delete;
  TcpStream& operator=(const TcpStream&) = delete;
  ~TcpStream() { close(); }

  IoResult try_read(std::span<char> room);
  Awaitable<std::tuple<ErrorCode>> wait_readable();
  Awaitable<std::tuple<ErrorCode>> wait_writable();
  IoResult try_write(std::span<const asio::const_buffer> buffers);
  /// The program ignores SIGPIPE, which splice(2) would raise.
  IoResult try_splice_to(Pipe& pipe, std::size_t most);
  IoResult try_splice_from(Pipe& pipe);
  [[nodiscard]] bool disturbed();
  /// Bytes are there that nobody read; not the end, nor an error.
  [[nodiscard]] bool has_unread();
  /// As disturbed() where events are fresh, and without asking the kernel: what arrived after the
  /// batch of events that is being handed out may be missed.
  [[nodiscard]] bool seems_disturbed() { return !pollable_.silent() && disturbed(); }
  /// As wait_readable(), without a coroutine. Whoever posts something that further events must not
  /// overtake says yield().
  void on_readable(Continuation continuation) { pollable_.wait_read(std::move(continuation)); }
  void yield() { pollable_.poller().yield(); }

  /// Tells `watcher` once that the peer is gone; true: it is already (Pollable::watch). What the
  /// peer sent may be unread all the same.
  [[nodiscard]] bool watch(HangUpWatcher& watcher, HangUp what) {
    return pollable_.watch(watcher, what);
  }
  void unwatch() { pollable_.unwatch(); }

  /// Opens a non-blocking socket and connects. Bounded by whoever cancels. address_not_available:
  /// no local port is free. connection_refused also where the connection met itself: a free port of
  /// this host that the kernel had just given to the connection.
  Awaitable<std::tuple<ErrorCode>> connect(const Endpoint& endpoint);

  void hurry_peer();
  void shutdown_send();
  void cancel();
  void close();
  /// Closes with RST, so that the other side cannot take a cut for an end.
  void reset();
  [[nodiscard]] bool is_open() const { return descriptor() >= 0; }
  /// At least the last `bytes` that were written reached nobody: the peer's kernel acknowledged
  /// none of them.
  [[nodiscard]] bool unacknowledged(std::size_t bytes);
  /// What was sent is not acknowledged and the peer's kernel was not heard for this long: its host
  /// or the way there is gone. A slow application is another thing: its kernel acknowledges.
  [[nodiscard]] bool unheard_for(Duration silence);
  [[nodiscard]] const Endpoint& remote() const { return remote_; }

  [[nodiscard]] int descriptor() const { return pollable_.descriptor(); }

 private:
  Pollable pollable_;
  Endpoint remote_;
};
static_assert(Splices<TcpStream>);

}  // namespace pilotfish::net
