#include "bench/harness/raw_sockets.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>

namespace pilotfish::bench {
namespace {

constexpr int kBacklog = 4096;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  std::memcpy(&address.sin_addr, endpoint.address.octets().data(), sizeof address.sin_addr);
  return address;
}

sockaddr* generic(sockaddr_in& address) {
  return reinterpret_cast<sockaddr*>(&address);
}

const epoll_event* events_in(const unsigned char* raw) {
  return reinterpret_cast<const epoll_event*>(raw);
}

}  // namespace

void Descriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

std::pair<Descriptor, Endpoint> listen_anywhere() {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) fail("socket");
  Endpoint endpoint{IpAddress::v4({127, 0, 0, 1}), 0};
  auto address = address_of(endpoint);
  if (::bind(socket.get(), generic(address), sizeof address) != 0) fail("bind");
  if (::listen(socket.get(), kBacklog) != 0) fail("listen");
  socklen_t length = sizeof address;
  if (::getsockname(socket.get(), generic(address), &length) != 0) fail("getsockname");
  endpoint.port = ntohs(address.sin_port);
  return {std::move(socket), endpoint};
}

Descriptor connect_to(const Endpoint& endpoint, unsigned source) {
  Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) return socket;
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (source != 0) {
    ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
    auto local = address_of({IpAddress::v4({127, 0, 1, static_cast<std::uint8_t>(source)}), 0});
    if (::bind(socket.get(), generic(local), sizeof local) != 0) return {};
  }
  auto peer = address_of(endpoint);
  if (::connect(socket.get(), generic(peer), sizeof peer) != 0 && errno != EINPROGRESS) {
    const int error = errno;
    socket.reset();
    errno = error;
  }
  return socket;
}

int connect_error(int fd) {
  int error = 0;
  socklen_t length = sizeof error;
  if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) != 0) return errno;
  return error;
}

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  static_assert(sizeof(epoll_event) <= 16);
  if (!epoll_.open()) fail("epoll_create1");
}

void Poller::add(int fd, void* owner) {
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | static_cast<unsigned>(EPOLLET);
  event.data.ptr = owner;
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

int Poller::wait_raw(std::int64_t timeout_ns) {
  auto* events = reinterpret_cast<epoll_event*>(raw_);
  if (timeout_ns == 0) return ::epoll_wait(epoll_.get(), events, kBatch, 0);
  timespec limit{timeout_ns / 1'000'000'000, timeout_ns % 1'000'000'000};
  return ::epoll_pwait2(epoll_.get(), events, kBatch, timeout_ns < 0 ? nullptr : &limit, nullptr);
}

Poller::Event Poller::event(int index) const {
  const auto& raw = events_in(raw_)[index];
  constexpr unsigned kIn = EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  return {raw.data.ptr, (raw.events & kIn) != 0, (raw.events & (EPOLLOUT | EPOLLERR)) != 0};
}

void sharpen_timers() {
  ::prctl(PR_SET_TIMERSLACK, 1UL);
}

std::size_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  constexpr rlim_t kWanted = 200'000;
  rlimit wanted{std::max(kWanted, limit.rlim_cur), std::max(kWanted, limit.rlim_max)};
  if (::setrlimit(RLIMIT_NOFILE, &wanted) != 0) {  // not root
    wanted = {limit.rlim_max, limit.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &wanted);
  }
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

}  // namespace pilotfish::bench
