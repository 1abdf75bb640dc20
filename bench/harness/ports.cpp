#include "bench/harness/ports.hpp"

#include <netinet/in.h>
#include <random>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/harness/sockets.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::uint32_t kFirst = 12000;
constexpr std::uint32_t kCount = 20000;

bool can_bind(int type, std::uint16_t port) {
  const int socket = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool bound =
      ::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(socket);
  return bound;
}

}  // namespace

Ports::Ports(std::uint64_t seed) : first_(static_cast<std::uint32_t>(Random(seed).below(kCount))) {}

Endpoint Ports::next() {
  while (taken_ < kCount) {
    const auto port = static_cast<std::uint16_t>(kFirst + (first_ + taken_++) % kCount);
    if (can_bind(SOCK_STREAM, port) && can_bind(SOCK_DGRAM, port)) return loopback(port);
  }
  throw Unavailable("no port of 127.0.0.1 between 12000 and 31999 is free");
}

std::uint64_t any_seed() {
  std::random_device device;
  return (std::uint64_t{device()} << 32U) | device();
}

}  // namespace pilotfish::bench
