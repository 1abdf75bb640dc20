#include "net/tcp_stream.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

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

TcpStream::TcpStream(TcpSocket socket) : socket_(std::move(socket)) {
  ErrorCode ignored;
  socket_.non_blocking(true, ignored);
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
}

IoResult TcpStream::try_read(std::span<char> room) {
  for (;;) {
    const auto got = ::recv(socket_.native_handle(), room.data(), room.size(), MSG_DONTWAIT);
    if (got > 0) {
      return {ErrorCode{}, static_cast<std::size_t>(got)};
    }
    if (got == 0) {
      return {asio::error::make_error_code(asio::error::eof), 0};
    }
    if (errno != EINTR) {
      return {ErrorCode(errno, boost::system::system_category()), 0};
    }
  }
}

IoResult TcpStream::try_write(std::span<const asio::const_buffer> buffers) {
  constexpr std::size_t kMost = 16;
  std::array<iovec, kMost> vectors{};
  std::size_t count = 0;
  for (const auto& buffer : buffers) {
    if (buffer.size() > 0 && count < kMost) {
      // The kernel reads only; iovec has no const form.
      vectors[count++] = {const_cast<void*>(buffer.data()), buffer.size()};  // NOLINT
    }
  }
  msghdr message{};
  message.msg_iov = vectors.data();
  message.msg_iovlen = count;
  for (;;) {
    const auto sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      return {ErrorCode{}, static_cast<std::size_t>(sent)};
    }
    if (errno != EINTR) {
      return {ErrorCode(errno, boost::system::system_category()), 0};
    }
  }
}

bool TcpStream::disturbed() {
  char byte = 0;
  const auto got = ::recv(socket_.native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got >= 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
}

bool TcpStream::unheard_for(Duration silence) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_INFO, &info, &size) != 0) {
    return false;
  }
  // Two retransmissions are 600 ms at the least: one lost packet, or an acknowledgement that waits
  // for the answer, is no silence.
  return info.tcpi_unacked > 0 && info.tcpi_retransmits >= 2 &&
         std::chrono::milliseconds(info.tcpi_last_ack_recv) >= silence;
}

Awaitable<std::tuple<ErrorCode>> TcpStream::connect(const Endpoint& endpoint) {
  const auto target = to_asio(endpoint);
  ErrorCode error;
  socket_.open(target.protocol(), error);
  if (!error) {
    socket_.non_blocking(true, error);
  }
  if (error) {
    co_return std::tuple{error};
  }
  ErrorCode ignored;
  socket_.set_option(asio::ip::tcp::no_delay(true), ignored);
  co_return co_await socket_.async_connect(target, kTuple);
}

void TcpStream::hurry_peer() {
  // A server that writes head and body apart and leaves Nagle on sends the body only after the
  // acknowledgement of the head, which the kernel may delay by 40 ms.
  const int on = 1;
  ::setsockopt(socket_.native_handle(), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

void TcpStream::shutdown_send() {
  ErrorCode ignored;
  socket_.shutdown(TcpSocket::shutdown_send, ignored);
}

void TcpStream::cancel() {
  ErrorCode ignored;
  socket_.cancel(ignored);
}

void TcpStream::close() {
  ErrorCode ignored;
  socket_.close(ignored);
}

void TcpStream::reset() {
  ErrorCode ignored;
  socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

bool TcpStream::peer_gone() {
  pollfd poll_entry{.fd = socket_.native_handle(), .events = 0, .revents = 0};
  return ::poll(&poll_entry, 1, 0) > 0 && (poll_entry.revents & (POLLERR | POLLHUP)) != 0;
}

Endpoint TcpStream::remote() const {
  ErrorCode error;
  const auto endpoint = socket_.remote_endpoint(error);
  return error ? Endpoint{} : from_asio(endpoint);
}

}  // namespace pilotfish::net
