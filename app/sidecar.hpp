#pragma once

#include <ostream>
#include <string>

namespace pilotfish::app {

/// `pilotfish run`: the sidecar in the foreground until a signal ends it. `watch`: a change of the
/// file reloads it, as SIGHUP does. Gives the exit code.
[[nodiscard]] int run_sidecar(const std::string& file, bool watch, std::ostream& err);

}  // namespace pilotfish::app
