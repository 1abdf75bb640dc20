#pragma once

#include <string>
#include <vector>

#include "app/merge_status.hpp"
#include "config/root_options.hpp"

namespace pilotfish::app {

// What people read about a configuration: the screen at start-up. Pure.

/// "consul billing, dc dc2: v4, v3+read, any" · "srv _a._tcp.b" · "static".
[[nodiscard]] std::string describe_source(const proxy::UpstreamOptions& upstream);

/// "tier 0 (v4)", or "none: <why>".
[[nodiscard]] std::string describe_serving(const MergedUpstream& upstream);

struct StartScreen {
  std::string file;
  std::string version;  ///< "0.1.0 (abc123)"
  int pid = 0;
  std::string admin;  ///< "127.0.0.1:9900"; empty where off
  /// Real addresses per upstream, in the configuration's order.
  std::vector<std::string> listens;
  MergedStatus status;
};
[[nodiscard]] std::string start_screen(const config::RootOptions& options,
                                       const StartScreen& screen);

}  // namespace pilotfish::app
