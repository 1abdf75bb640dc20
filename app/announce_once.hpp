#pragma once

#include <ostream>

#include "config/root_options.hpp"
#include "core/log.hpp"

namespace pilotfish::app {

enum class AnnounceAction { kRegister, kDeregister };

/// `pilotfish register` and `deregister`: announces or withdraws everything under `register:` once,
/// within 10 s. Gives the exit code: 0 where all succeeded, 69 where something did not (each
/// failure was logged), 1 where a running sidecar announced again what was withdrawn (4 s are spent
/// on looking where one had announced it).
[[nodiscard]] int announce_once(const config::RootOptions& options, AnnounceAction action,
                                Logger& logger, std::ostream& out);

}  // namespace pilotfish::app
