#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace pilotfish::app {

/// The command line: `arguments` without the program's name. Gives the exit code (exit_code.hpp).
[[nodiscard]] int run_command_line(std::vector<std::string> arguments, std::ostream& out,
                                   std::ostream& err);

}  // namespace pilotfish::app
