#include "app/sd_notify.hpp"

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "app/descriptor.hpp"

namespace pilotfish::app {

bool notify_service_manager(const config::Environment& environment, std::string_view state) {
  const auto path = environment("NOTIFY_SOCKET");
  sockaddr_un address{};
  if (!path || path->empty() || path->size() >= sizeof(address.sun_path)) {
    return false;
  }
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path->data(), path->size());
  if (path->front() == '@') {
    address.sun_path[0] = '\0';
  }
  const Descriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path->size());
  const auto send = [&] {
    return ::sendto(fd.get(), state.data(), state.size(), MSG_NOSIGNAL,
                    reinterpret_cast<const sockaddr*>(&address),
                    length) == static_cast<ssize_t>(state.size());
  };
  if (!fd || send()) {
    return static_cast<bool>(fd);
  }
  // A lost READY=1 is never made up for: while a machine boots, the manager's queue may be full.
  pollfd room{fd.get(), POLLOUT, 0};
  constexpr int kMostMillis = 500;
  return (errno == EAGAIN || errno == EWOULDBLOCK) && ::poll(&room, 1, kMostMillis) == 1 && send();
}

}  // namespace pilotfish::app
