#pragma once

#include <concepts>
#include <cstddef>
#include <span>
#include <tuple>

#include "core/endpoint.hpp"
#include "net/asio.hpp"
#include "net/poller.hpp"

namespace pilotfish::net {

/// What a read or write came to.
using IoResult = std::tuple<ErrorCode, std::size_t>;

/// What sessions talk to: bytes both ways, half-close, and cancelling. Reading and writing take
/// what is there at once; waiting holds no buffer, so an idle connection costs none. TcpStream is
/// one; a TLS stream will be another. Gather writes are part of it; splice is
/// optional (net/splice.hpp).
template <class S>
concept Stream = requires(S& stream, std::span<char> in, std::span<const asio::const_buffer> out,
                          HangUpWatcher& watcher, HangUp what) {
  /// would_block where nothing is there, eof at the end.
  { stream.try_read(in) } -> std::same_as<IoResult>;
  /// Writes what the stream takes now; would_block where it takes nothing.
  { stream.try_write(out) } -> std::same_as<IoResult>;
  { stream.wait_readable() } -> std::same_as<Awaitable<std::tuple<ErrorCode>>>;
  { stream.wait_writable() } -> std::same_as<Awaitable<std::tuple<ErrorCode>>>;
  /// Unexpected bytes, end or error on a stream that should be silent.
  { stream.disturbed() } -> std::same_as<bool>;
  /// Bytes that nobody read.
  { stream.has_unread() } -> std::same_as<bool>;
  /// Tells `watcher` once that the peer is gone, without a read; true: it is already.
  { stream.watch(watcher, what) } -> std::same_as<bool>;
  stream.unwatch();
  /// Part of a message is here and the rest should follow: do not delay the acknowledgement.
  stream.hurry_peer();
  stream.shutdown_send();
  stream.cancel();
  stream.close();
  stream.reset();
  { stream.is_open() } -> std::same_as<bool>;
};

}  // namespace pilotfish::net
