#pragma once

#include <string>
#include <vector>

#include "config/root_options.hpp"

namespace pilotfish::app {

/// An address that an upstream is offered at. `id` is what stays the same as long as its sockets
/// may: the address itself, and for port 0 (any free one) also the upstream.
struct Place {
  std::string id;
  std::string upstream;
  proxy::ListenAddress listen;
};
[[nodiscard]] std::vector<Place> places(const config::RootOptions& options);

/// What a reload does. Pure.
struct ReloadPlan {
  config::RootOptions after;         ///< what runs then: the file's, but for `restart`
  std::vector<std::string> changed;  ///< paths that take effect, added and removed ones apart
  std::vector<std::string> added;    ///< upstreams
  std::vector<std::string> removed;
  std::vector<std::string> restart;  ///< paths that keep their running value until a restart
  std::vector<Place> keep;           ///< addresses whose sockets stay, and who gets them
  std::vector<Place> bind;           ///< addresses that are new
  bool bind_admin = false;
  bool admin_changed = false;       ///< who may ask it, or where it is
  bool access_log_changed = false;  ///< log.access or log.format
  bool registries_changed = false;  ///< where `register:` goes
  bool agent_changed = false;       ///< the Consul agent or its token
  bool state_changed = false;       ///< state_dir, or what is kept there
};
[[nodiscard]] ReloadPlan plan_reload(const config::RootOptions& running,
                                     const config::RootOptions& fresh);

/// "added: a, b; changed: log.level" for the log; "nothing changed" where nothing does.
[[nodiscard]] std::string describe_plan(const ReloadPlan& plan);

}  // namespace pilotfish::app
