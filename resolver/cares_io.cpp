#include "resolver/cares_io.hpp"

#include <ares.h>
#include <cerrno>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace pilotfish::resolver {
namespace {

ares_socket_t open_socket(int family, int type, int protocol, void*) {
  const int descriptor = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  if (descriptor >= 0 && type == SOCK_STREAM) {
    const int on = 1;
    (void)::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return descriptor;
}

int close_socket(ares_socket_t descriptor, void*) {
  return ::close(descriptor);
}

int connect_socket(ares_socket_t descriptor, const sockaddr* address, ares_socklen_t size, void*) {
  return ::connect(descriptor, address, size);
}

ares_ssize_t receive(ares_socket_t descriptor, void* data, size_t size, int flags, sockaddr* from,
                     ares_socklen_t* from_size, void* user) {
  if (from == nullptr) {  // c-ares asks for the sender of datagrams only
    return ::recv(descriptor, data, size, flags);
  }
  auto& filter = *static_cast<DatagramFilter*>(user);
  constexpr int kMaxDropped = 64;  // a storm must not hold the loop
  const auto space = *from_size;
  for (int dropped = 0; dropped < kMaxDropped; ++dropped) {
    *from_size = space;
    const auto count = ::recvfrom(descriptor, data, size, flags, from, from_size);
    if (count < 0) {
      return count;
    }
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    if (filter.admit({bytes, static_cast<std::size_t>(count)})) {
      return count;
    }
  }
  errno = EAGAIN;
  return -1;
}

ares_ssize_t send_parts(ares_socket_t descriptor, const iovec* parts, int count, void*) {
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(parts);  // sendmsg does not write to them
  message.msg_iovlen = static_cast<std::size_t>(count);
  return ::sendmsg(descriptor, &message, MSG_NOSIGNAL);
}

constexpr ares_socket_functions kCalls{open_socket, close_socket, connect_socket, receive,
                                       send_parts};

}  // namespace

void install_socket_calls(ares_channeldata* channel, DatagramFilter& filter) {
  ares_set_socket_functions(channel, &kCalls, &filter);
}

}  // namespace pilotfish::resolver
