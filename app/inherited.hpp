#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <utility>
#include <vector>

#include "app/listeners.hpp"
#include "config/load.hpp"

namespace pilotfish::app {

/// Sockets handed down by systemd (sd_listen_fds(3)): LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES.
class InheritedSockets {
 public:
  /// Empty where LISTEN_PID is not `pid`. `first` is where they start (3).
  InheritedSockets(const config::Environment& environment, pid_t pid, int first = 3);

  /// Every socket called `name` (a unit may give several one name), `count` duplicates of each.
  /// Throws BindError where there is none or it does not listen.
  [[nodiscard]] std::vector<BoundListener> take(const std::string& setting, const std::string& name,
                                                std::uint32_t count) const;

 private:
  std::vector<std::pair<std::string, int>> sockets_;
};

}  // namespace pilotfish::app
