#include "net/tcp_stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "net/syscalls.hpp"

namespace pilotfish::net {

asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint) {
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes{};
    std::ranges::copy(octets, bytes.begin());
    return {asio::ip::address_v4(bytes), endpoint.port};
  }
  asio::ip::address_v6::bytes_type bytes{};
  std::ranges::copy(octets, bytes.begin());
  return {asio::ip::address_v6(bytes), endpoint.port};
}

Endpoint from_asio(const asio::ip::tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v4()) {
    return {IpAddress::v4(address.to_v4().to_bytes()), endpoint.port()};
  }
  return {IpAddress::v6(address.to_v6().to_bytes()), endpoint.port()};
}

Endpoint endpoint_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof(v4));
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    return {IpAddress::v4(octets), ntohs(v4.sin_port)};
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof(v6));
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    return {IpAddress::v6(octets), ntohs(v6.sin6_port)};
  }
  return {};
}

TcpStream::TcpStream(Executor executor, int descriptor, const Endpoint& remote)
    : pollable_(Poller::of(executor)), remote_(remote) {
  pollable_.open(descriptor);
}

TcpStream::TcpStream(TcpStream&& other) noexcept
    : pollable_(std::move(other.pollable_)), remote_(other.remote_) {}

namespace {
/// A coroutine that goes on, which may post what must not be overtaken by further events.
template <class Handler>
Continuation going_on(Handler handler, Poller& poller) {
  return Continuation([handler = std::move(handler), &poller](ErrorCode error) mutable {
    poller.yield();
    std::move(handler)(error);
  });
}
}  // namespace

Awaitable<std::tuple<ErrorCode>> TcpStream::wait_readable() {
  return asio::async_initiate<decltype(kTuple), void(ErrorCode)>(
      [this](auto handler) {
        pollable_.wait_read(going_on(std::move(handler), pollable_.poller()));
      },
      kTuple);
}

Awaitable<std::tuple<ErrorCode>> TcpStream::wait_writable() {
  return asio::async_initiate<decltype(kTuple), void(ErrorCode)>(
      [this](auto handler) {
        pollable_.wait_write(going_on(std::move(handler), pollable_.poller()));
      },
      kTuple);
}

IoResult TcpStream::try_read(std::span<char> room) {
  for (;;) {
    const auto got = receive(descriptor(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) {
      const auto size = static_cast<std::size_t>(got);
      if (size < room.size()) {
        pollable_.read_short();
      }
      return {ErrorCode{}, size};
    }
    if (got == 0) {
      return {asio::error::make_error_code(asio::error::eof), 0};
    }
    if (errno == EAGAIN) {
      pollable_.drained();
    }
    if (errno != EINTR) {
      return {ErrorCode(errno, boost::system::system_category()), 0};
    }
  }
}

IoResult TcpStream::try_write(std::span<const asio::const_buffer> buffers) {
  constexpr std::size_t kMost = 16;
  std::array<iovec, kMost> vectors;  // NOLINT: filled as far as it is used
  std::size_t count = 0;
  std::size_t size = 0;
  for (const auto& buffer : buffers) {
    if (buffer.size() > 0 && count < kMost) {
      // The kernel reads only; iovec has no const form.
      vectors[count++] = {const_cast<void*>(buffer.data()), buffer.size()};  // NOLINT
      size += buffer.size();
    }
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  for (;;) {
    // One piece goes the shorter way through the kernel.
    const auto sent =
        count == 1 ? transmit(descriptor(), vectors[0].iov_base, size, MSG_NOSIGNAL | MSG_DONTWAIT)
                   : ::sendmsg(descriptor(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      if (static_cast<std::size_t>(sent) < size) {
        pollable_.filled();
      }
      return {ErrorCode{}, static_cast<std::size_t>(sent)};
    }
    if (errno == EAGAIN) {
      pollable_.filled();
    }
    if (errno != EINTR) {
      return {ErrorCode(errno, boost::system::system_category()), 0};
    }
  }
}

IoResult TcpStream::try_splice_to(Pipe& pipe, std::size_t most) {
  for (;;) {
    const auto moved = ::splice(descriptor(), nullptr, pipe.writer(), nullptr,
                                std::min(most, pipe.capacity()), SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved > 0) {
      pipe.filled(static_cast<std::size_t>(moved));
      return {ErrorCode{}, static_cast<std::size_t>(moved)};
    }
    if (moved == 0) {
      return {asio::error::make_error_code(asio::error::eof), 0};
    }
    if (errno != EINTR) {
      return {ErrorCode(errno, boost::system::system_category()), 0};
    }
  }
}

IoResult TcpStream::try_splice_from(Pipe& pipe) {
  for (;;) {
    const auto moved = ::splice(pipe.reader(), nullptr, descriptor(), nullptr, pipe.held(),
                                SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    if (moved > 0) {
      pipe.drained(static_cast<std::size_t>(moved));
      return {ErrorCode{}, static_cast<std::size_t>(moved)};
    }
    if (moved == 0) {  // there were bytes: it has another end than we think
      return {asio::error::make_error_code(asio::error::broken_pipe), 0};
    }
    if (errno == EAGAIN) {
      pollable_.filled();
    }
    if (errno != EINTR) {
      return {ErrorCode(errno, boost::system::system_category()), 0};
    }
  }
}

bool TcpStream::disturbed() {
  char byte = 0;
  const auto got = receive(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool TcpStream::has_unread() {
  char byte = 0;
  return receive(descriptor(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

bool TcpStream::unheard_for(Duration silence) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return false;
  }
  // Two retransmissions are 600 ms at the least: one lost packet, or an acknowledgement that waits
  // for the answer, is no silence.
  return info.tcpi_unacked > 0 && info.tcpi_retransmits >= 2 &&
         std::chrono::milliseconds(info.tcpi_last_ack_recv) >= silence;
}

namespace {

/// What `error` of a connect() means: without a source address, which no waiting brings, the kernel
/// says the same as without a free port. A datagram socket needs no port of its own kind to tell.
ErrorCode explain(int error, const asio::ip::tcp::endpoint& target) {
  ErrorCode said(error, boost::system::system_category());
  if (error != EADDRNOTAVAIL) {
    return said;
  }
  const int probe = ::socket(target.data()->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const bool no_source =
      probe >= 0 && ::connect(probe, target.data(), static_cast<socklen_t>(target.size())) != 0 &&
      errno == EADDRNOTAVAIL;
  if (probe >= 0) {
    ::close(probe);
  }
  return no_source ? ErrorCode(asio::error::network_unreachable) : said;
}

/// On loopback a connection to a free ephemeral port can meet itself.
bool meets_itself(int socket, const asio::ip::tcp::endpoint& target) {
  asio::ip::tcp::endpoint local;
  auto size = static_cast<socklen_t>(local.capacity());
  if (::getsockname(socket, local.data(), &size) != 0) {
    return false;
  }
  local.resize(size);
  return local == target;
}

}  // namespace

Awaitable<std::tuple<ErrorCode>> TcpStream::connect(const Endpoint& endpoint) {
  const auto target = to_asio(endpoint);
  const int socket =
      ::socket(target.data()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket < 0) {
    co_return std::tuple{ErrorCode(errno, boost::system::system_category())};
  }
  close();
  pollable_.open(socket);
  remote_ = endpoint;
  const int on = 1;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  int error =
      ::connect(socket, target.data(), static_cast<socklen_t>(target.size())) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    const auto waited = co_await wait_writable();
    if (std::get<0>(waited)) {
      co_return waited;
    }
    socklen_t size = sizeof(error);
    if (::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  if (error == 0 && meets_itself(descriptor(), target)) {
    reset();  // a close would keep the port from whoever wants to listen there
    error = ECONNREFUSED;
  }
  co_return std::tuple{explain(error, target)};
}

void TcpStream::hurry_peer() {
  // A server that writes head and body apart and leaves Nagle on sends the body only after the
  // acknowledgement of the head, which the kernel may delay by 40 ms.
  const int on = 1;
  ::setsockopt(descriptor(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

void TcpStream::shutdown_send() {
  (void)::shutdown(descriptor(), SHUT_WR);
}

void TcpStream::cancel() {
  pollable_.cancel();
}

void TcpStream::close() {
  const int descriptor = pollable_.descriptor();
  if (descriptor >= 0) {
    pollable_.release();
    ::close(descriptor);
  }
}

void TcpStream::reset() {
  const linger at_once{1, 0};
  (void)::setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close();
}

bool TcpStream::unacknowledged(std::size_t bytes) {
  int queued = 0;
  return ::ioctl(descriptor(), SIOCOUTQ, &queued) == 0 &&
         static_cast<std::size_t>(std::max(queued, 0)) >= bytes;
}

}  // namespace pilotfish::net
