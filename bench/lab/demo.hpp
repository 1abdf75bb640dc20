#pragma once

#include <string>

#include "core/clock.hpp"

namespace pilotfish::bench {

struct DemoOptions {
  Duration total = std::chrono::seconds(10);
  bool plain = false;   ///< lines instead of a table, also on a terminal
  bool direct = false;  ///< no sidecar: the client asks the registry itself
  double rate = 400;
  std::string log;  ///< a file for the sidecar's log, each request and decision in it; or empty
};

/// The whole thing on loopback, following the script; its last line is `N requests, F failed`.
/// Exit code: 0, 1 where a request failed or it was interrupted. Throws Unavailable and
/// boost::system::system_error where something that it needs is missing.
int run_demo(const DemoOptions& options);

}  // namespace pilotfish::bench
