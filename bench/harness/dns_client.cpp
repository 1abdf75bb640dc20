#include "bench/harness/dns_client.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <span>
#include <sys/socket.h>
#include <unistd.h>

namespace pilotfish::bench {
namespace {

using Bytes = std::vector<std::uint8_t>;
constexpr std::uint16_t kEdns = 4096;

sockaddr_in address_of(const Endpoint& endpoint) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(endpoint.port);
  std::memcpy(&address.sin_addr, endpoint.address.octets().data(), 4);
  return address;
}

/// Until the socket is ready for the events or the time is over.
bool await(int socket, short events, TimePoint until) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
  pollfd one{socket, events, 0};
  return ::poll(&one, 1, static_cast<int>(std::max<long>(left, 0))) == 1;
}

bool read_whole(int socket, std::span<std::uint8_t> into, TimePoint until) {
  while (!into.empty()) {
    if (!await(socket, POLLIN, until)) return false;
    const auto got = ::recv(socket, into.data(), into.size(), 0);
    if (got <= 0) return false;
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

}  // namespace

DnsClient::~DnsClient() {
  close();
}

void DnsClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

bool DnsClient::connect(TimePoint until) {
  close();
  socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  const auto address = address_of(server_);
  const auto* const target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket_, target, sizeof address) != 0 && errno != EINPROGRESS) return false;
  int error = 0;
  socklen_t size = sizeof error;
  if (!await(socket_, POLLOUT, until)) return false;
  return ::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0;
}

std::optional<SrvAnswer> DnsClient::exchange(const std::string& name, TimePoint until) {
  Bytes question = srv_question(++id_, name, kEdns);
  const auto size = question.size();
  question.insert(question.begin(),
                  {static_cast<std::uint8_t>(size >> 8U), static_cast<std::uint8_t>(size)});
  const auto sent = ::send(socket_, question.data(), question.size(), MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(question.size())) return std::nullopt;
  std::array<std::uint8_t, 2> head{};
  if (!read_whole(socket_, head, until)) return std::nullopt;
  Bytes answer(std::size_t{head[0]} << 8U | head[1]);
  if (!read_whole(socket_, answer, until)) return std::nullopt;
  auto parsed = parse_srv_answer(answer);
  return parsed && parsed->id == id_ ? parsed : std::nullopt;
}

std::optional<SrvAnswer> DnsClient::ask_tcp(const std::string& name, Duration limit) {
  const auto until = Clock::now() + limit;
  if (socket_ >= 0) {
    // Servers end a connection after so many questions or so much silence.
    if (auto answer = exchange(name, until)) return answer;
  }
  std::optional<SrvAnswer> answer;
  if (connect(until)) answer = exchange(name, until);
  if (!answer) close();
  return answer;
}

std::optional<SrvAnswer> DnsClient::ask_udp(const std::string& name, std::uint16_t edns_size,
                                            Duration limit) {
  const auto until = Clock::now() + limit;
  const int socket = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  const auto address = address_of(server_);
  const Bytes question = srv_question(++id_, name, edns_size);
  const auto* const target = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(socket, target, sizeof address) != 0) {
    ::close(socket);
    return std::nullopt;
  }
  (void)::send(socket, question.data(), question.size(), MSG_NOSIGNAL);
  std::optional<SrvAnswer> answer;
  Bytes buffer(65535);
  while (!answer && await(socket, POLLIN, until)) {
    const auto got = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (got <= 0) break;
    answer = parse_srv_answer({buffer.data(), static_cast<std::size_t>(got)});
    if (answer && answer->id != id_) answer.reset();
  }
  ::close(socket);
  return answer;
}

}  // namespace pilotfish::bench
