#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include "app/merge_status.hpp"
#include "config/load.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"

namespace pilotfish::app {

/// How often the service manager wants a sign of life (WATCHDOG_USEC, for WATCHDOG_PID where that
/// is set); nothing where it wants none. Pure.
[[nodiscard]] std::optional<Duration> watchdog_time(const config::Environment& environment,
                                                    pid_t pid);

/// What `systemctl status` shows: "2 of 3 upstreams ready (billing: ...); 12 client connections",
/// "draining 2 client connections". One line. Pure.
[[nodiscard]] std::string service_status(const MergedStatus& status, std::size_t clients,
                                         bool draining);

/// Keeps the service manager informed while the process runs (sd_notify(3)): STATUS= when it
/// changes, WATCHDOG=1 at half its time, as long as every worker answers: a stuck one ends the
/// pings, and the manager restarts the process. Does nothing without NOTIFY_SOCKET.
/// Ownership: what the hooks use and `logger` outlive it. Thread-safety: none; one executor.
class ServiceManager {
 public:
  struct Hooks {
    /// Client connections of all workers; nothing where one did not answer within the limit.
    std::function<net::Awaitable<std::optional<std::size_t>>(Duration limit)> clients;
    std::function<net::Awaitable<MergedStatus>()> status;
  };
  ServiceManager(net::IoContext& io, config::Environment environment, pid_t pid, Logger& logger,
                 Hooks hooks);

  /// READY=1, and from now on the rest.
  void ready();
  /// STOPPING=1; `drain` is what it may take.
  void stopping(Duration drain);

 private:
  net::Awaitable<void> run();
  net::Awaitable<void> tell(std::size_t clients);
  void judge(bool answering);

  net::Executor executor_;
  config::Environment environment_;
  Logger& logger_;
  Hooks hooks_;
  std::optional<Duration> watchdog_;
  Duration every_;
  net::Timer timer_;
  std::string told_;
  bool answering_ = true;
  bool draining_ = false;
};

}  // namespace pilotfish::app
