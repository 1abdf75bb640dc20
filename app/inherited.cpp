#include "app/inherited.hpp"

#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <optional>

namespace pilotfish::app {
namespace {

std::optional<int> to_number(const std::optional<std::string>& text) {
  int number = 0;
  if (!text || text->empty()) {
    return std::nullopt;
  }
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  return error == std::errc{} && end == text->data() + text->size() ? std::optional(number)
                                                                    : std::nullopt;
}

}  // namespace

InheritedSockets::InheritedSockets(const config::Environment& environment, pid_t pid, int first) {
  const auto count = to_number(environment("LISTEN_FDS"));
  if (to_number(environment("LISTEN_PID")) != pid || !count || *count < 0 || *count > 1024) {
    return;
  }
  std::string names = environment("LISTEN_FDNAMES").value_or("");
  for (int i = 0; i < *count; ++i) {
    const auto end = names.find(':');
    std::string name = names.substr(0, end);
    names = end == std::string::npos ? "" : names.substr(end + 1);
    // systemd itself calls those without a name "unknown".
    sockets_.emplace_back(name.empty() ? "unknown" : std::move(name), first + i);
    (void)::fcntl(first + i, F_SETFD, FD_CLOEXEC);
  }
}

std::vector<BoundListener> InheritedSockets::take(const std::string& setting,
                                                  const std::string& name,
                                                  std::uint32_t count) const {
  std::vector<BoundListener> result;
  std::string known;
  for (const auto& [their_name, fd] : sockets_) {
    known += (known.empty() ? "" : ", ") + their_name;
    if (their_name != name) {
      continue;
    }
    BoundListener bound;
    bound.inherited = true;
    bound.endpoint = listening_endpoint(setting, "fd:" + name, fd);
    (void)::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    for (std::uint32_t i = 0; i < count; ++i) {
      Descriptor copy(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
      if (!copy) {
        throw BindError(bind_error_text(setting, "fd:" + name, errno));
      }
      bound.sockets.push_back(std::move(copy));
    }
    result.push_back(std::move(bound));
  }
  if (result.empty()) {
    throw BindError(setting + ": fd:" + name + " was not inherited (" +
                    (known.empty() ? "no socket was handed to this process: LISTEN_FDS, "
                                     "LISTEN_FDNAMES and LISTEN_PID are what systemd sets"
                                   : "LISTEN_FDNAMES has " + known) +
                    ")");
  }
  return result;
}

}  // namespace pilotfish::app
