#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "config/root_options.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/notifier.hpp"
#include "proxy/proxy.hpp"

namespace pilotfish::app {

/// Why upstreams, or their better tiers, have no instance: finds out beside the data path, when
/// something changed and at most once in 2 s and upstream, and hands the text on.
/// Ownership: what the hooks use and `logger` outlive it; so does its executor's last handler.
/// Thread-safety: none; the main thread's.
class CauseFinder {
 public:
  struct Hooks {
    /// What is known of every upstream now.
    std::function<net::Awaitable<std::vector<proxy::UpstreamStatus>>()> status;
    /// The cause of an upstream, for everybody who is asked for it.
    std::function<void(const std::string& upstream, const std::string& cause)> tell;
    /// What runs: copied before anything is waited for.
    std::function<const config::RootOptions&()> options;
  };
  CauseFinder(net::IoContext& io, Logger& logger, Hooks hooks);

  /// Something is missing in that upstream: soon there is a cause.
  void missing(const std::string& upstream);
  /// Until each cause that was asked for so far is told, or the deadline.
  [[nodiscard]] net::Awaitable<void> wait(TimePoint deadline);

 private:
  struct Entry {
    bool running = false;
    bool again = false;  ///< it changed meanwhile
    bool told = false;   ///< at least once since it runs
    std::string logged;
  };
  net::Awaitable<void> run(std::string upstream);
  net::Awaitable<void> find(const std::string& upstream, Entry& entry);

  net::Executor executor_;
  Logger& logger_;
  Hooks hooks_;
  std::map<std::string, Entry> entries_;
  net::Notifier told_;
};

}  // namespace pilotfish::app
