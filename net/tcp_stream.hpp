#pragma once

#include <span>

#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "net/asio.hpp"
#include "net/stream.hpp"

namespace pilotfish::net {

[[nodiscard]] asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint);
[[nodiscard]] Endpoint from_asio(const asio::ip::tcp::endpoint& endpoint);

/// A TCP connection as a stream. Owns its socket; closing is idempotent.
/// Thread-safety: none. Errors: as Asio gives them; no exceptions.
class TcpStream {
 public:
  explicit TcpStream(Executor executor) : socket_(executor) {}
  explicit TcpStream(TcpSocket socket);

  IoResult try_read(std::span<char> room);
  Awaitable<std::tuple<ErrorCode>> wait_readable() {
    return socket_.async_wait(TcpSocket::wait_read, kTuple);
  }
  Awaitable<std::tuple<ErrorCode>> wait_writable() {
    return socket_.async_wait(TcpSocket::wait_write, kTuple);
  }
  IoResult try_write(std::span<const asio::const_buffer> buffers);
  [[nodiscard]] bool disturbed();

  /// Opens a non-blocking socket and connects. Bounded by whoever cancels.
  Awaitable<std::tuple<ErrorCode>> connect(const Endpoint& endpoint);

  void hurry_peer();
  void shutdown_send();
  void cancel();
  void close();
  /// Closes with RST, so that the other side cannot take a cut for an end.
  void reset();
  [[nodiscard]] bool is_open() const { return socket_.is_open(); }
  /// Reset or closed both ways by the peer, as far as the kernel knows (poll, no read).
  [[nodiscard]] bool peer_gone();
  /// What was sent is not acknowledged and the peer's kernel was not heard for this long: its host
  /// or the way there is gone. A slow application is another thing: its kernel acknowledges.
  [[nodiscard]] bool unheard_for(Duration silence);
  [[nodiscard]] Endpoint remote() const;

 private:
  TcpSocket socket_;
};
static_assert(Stream<TcpStream>);

}  // namespace pilotfish::net
