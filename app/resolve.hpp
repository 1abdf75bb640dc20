#pragma once

#include <ostream>
#include <string>

#include "config/root_options.hpp"
#include "core/log.hpp"

namespace pilotfish::app {

/// `pilotfish resolve`: asks every tier of one upstream once and explains the outcome, as text or
/// as JSON in the shape of /upstreams. Gives the exit code: 0 with an instance, 69 without, 64
/// where the configuration has no such upstream.
[[nodiscard]] int resolve_upstream(const config::RootOptions& options, const std::string& upstream,
                                   bool as_json, Logger& logger, std::ostream& out,
                                   std::ostream& err);

}  // namespace pilotfish::app
