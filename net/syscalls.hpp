#pragma once

#include <cstddef>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

namespace pilotfish::net {

// recv() and send() without what the C library puts around them: both are cancellation points, and
// in a program with threads each call changes the thread's cancellation state twice. Nobody here
// cancels threads. Errors: -1 and errno, as there.

[[nodiscard]] inline ssize_t receive(int socket, void* room, std::size_t size, int flags) {
  return ::syscall(SYS_recvfrom, socket, room, size, flags, nullptr, nullptr);
}

[[nodiscard]] inline ssize_t transmit(int socket, const void* bytes, std::size_t size, int flags) {
  return ::syscall(SYS_sendto, socket, bytes, size, flags, nullptr, 0);
}

}  // namespace pilotfish::net
