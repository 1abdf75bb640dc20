#pragma once

#include <ostream>
#include <string>

namespace pilotfish::app {

/// `pilotfish run`: the sidecar in the foreground until a signal ends it. Gives the exit code.
[[nodiscard]] int run_sidecar(const std::string& file, std::ostream& err);

}  // namespace pilotfish::app
