#include "app/listeners.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <sys/socket.h>
#include <system_error>

namespace pilotfish::app {
namespace {

constexpr int kBacklog = 4096;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = sizeof(sockaddr_storage);
  [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress to_socket_address(const Endpoint& endpoint) {
  SocketAddress result;
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v6()) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(endpoint.port);
    std::memcpy(&v6.sin6_addr, octets.data(), octets.size());
    std::memcpy(&result.storage, &v6, sizeof(v6));
    result.length = sizeof(v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, octets.data(), octets.size());
    std::memcpy(&result.storage, &v4, sizeof(v4));
    result.length = sizeof(v4);
  }
  return result;
}

Endpoint from_socket_address(const SocketAddress& address) {
  Endpoint endpoint;
  if (address.storage.ss_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address.storage, sizeof(v6));
    std::array<std::uint8_t, 16> octets{};
    std::memcpy(octets.data(), &v6.sin6_addr, octets.size());
    endpoint = {IpAddress::v6(octets), ntohs(v6.sin6_port)};
  } else {
    sockaddr_in v4{};
    std::memcpy(&v4, &address.storage, sizeof(v4));
    std::array<std::uint8_t, 4> octets{};
    std::memcpy(octets.data(), &v4.sin_addr, octets.size());
    endpoint = {IpAddress::v4(octets), ntohs(v4.sin_port)};
  }
  return endpoint;
}

bool set_on(int fd, int level, int option) {
  const int on = 1;
  return ::setsockopt(fd, level, option, &on, sizeof(on)) == 0;
}

/// A bound socket that does not listen yet; empty with errno set where it cannot be had.
Descriptor bind_one(const Endpoint& where, bool reuse_port) {
  Descriptor fd(::socket(where.address.is_v6() ? AF_INET6 : AF_INET,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP));
  SocketAddress address = to_socket_address(where);
  // SO_REUSEADDR only gets past connections of an earlier process that linger in TIME_WAIT.
  const bool bound = fd && set_on(fd.get(), SOL_SOCKET, SO_REUSEADDR) &&
                     (!where.address.is_v6() || set_on(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY)) &&
                     (!reuse_port || set_on(fd.get(), SOL_SOCKET, SO_REUSEPORT)) &&
                     ::bind(fd.get(), address.get(), address.length) == 0;
  if (!bound) {
    const int error = errno;
    fd.reset();
    errno = error;
  }
  return fd;
}

}  // namespace

std::string bind_error_text(const std::string& setting, const std::string& where, int error) {
  const std::string start = setting + ": " + where;
  switch (error) {
    case EADDRINUSE: return start + " is taken (address already in use)";
    case EACCES:
    case EPERM:
      return start +
             " may not be bound (permission denied): choose a port from 1024 on, or grant "
             "CAP_NET_BIND_SERVICE";
    case EADDRNOTAVAIL: return start + " is no address of this machine (address not available)";
    case EAFNOSUPPORT: return start + " needs IPv6, which is off here (address family)";
    case EMFILE:
    case ENFILE: return start + " cannot be bound: no free file descriptors";
    default: return start + " cannot be bound (" + std::generic_category().message(error) + ")";
  }
}

BoundListener bind_listener(const std::string& setting, const Endpoint& where,
                            std::uint32_t count) {
  BoundListener bound;
  bound.endpoint = where;
  const auto fail = [&](int error) -> BindError {
    return BindError(bind_error_text(setting, bound.endpoint.to_string(), error));
  };
  for (std::uint32_t i = 0; i < std::max(count, 1U); ++i) {
    Descriptor fd = bind_one(bound.endpoint, i > 0);
    if (!fd) {
      throw fail(errno);
    }
    if (i == 0) {
      SocketAddress actual;
      if (::getsockname(fd.get(), actual.get(), &actual.length) != 0) {
        throw fail(errno);
      }
      bound.endpoint = from_socket_address(actual);
      // Only now, after the bind: it had to fail where another process holds the address, also
      // one that shares it, and from here on nobody else can come between.
      if (count > 1 && !set_on(fd.get(), SOL_SOCKET, SO_REUSEPORT)) {
        throw fail(errno);
      }
    }
    bound.sockets.push_back(std::move(fd));
  }
  for (const Descriptor& fd : bound.sockets) {
    if (::listen(fd.get(), kBacklog) != 0) {
      throw fail(errno);
    }
  }
  return bound;
}

Endpoint listening_endpoint(const std::string& setting, const std::string& where, int descriptor) {
  SocketAddress address;
  int listens = 0;
  socklen_t size = sizeof(listens);
  const bool known =
      ::getsockname(descriptor, address.get(), &address.length) == 0 &&
      (address.storage.ss_family == AF_INET || address.storage.ss_family == AF_INET6) &&
      ::getsockopt(descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0;
  if (!known) {
    throw BindError(setting + ": " + where + " is no listening TCP socket");
  }
  return from_socket_address(address);
}

}  // namespace pilotfish::app
