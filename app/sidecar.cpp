#include "app/sidecar.hpp"

#include <csignal>
#include <exception>
#include <system_error>
#include <unistd.h>

#include "app/exit_code.hpp"
#include "app/logger.hpp"
#include "app/startup.hpp"
#include "app/supervisor.hpp"

namespace pilotfish::app {

int run_sidecar(const std::string& file, std::ostream& err) {
  auto options = load_or_print(file, err);
  if (!options) {
    return kExitConfig;
  }
  // A peer that went away is an error of one write, never the end of the process.
  (void)std::signal(SIGPIPE, SIG_IGN);
  (void)raise_descriptor_limit();
  LineWriter screen(STDERR_FILENO, {});
  SpdLogger logger(screen, options->log.level, options->log.format);
  try {
    Bound bound = bind_all(*options, config::process_environment());
    return Supervisor(file, std::move(*options), std::move(bound), logger, screen).run();
  } catch (const BindError& error) {
    screen.write("pilotfish: " + std::string(error.what()) + "\n");
  } catch (const std::system_error& error) {
    screen.write("pilotfish: " + std::string(error.what()) + "\n");
  }
  return kExitUnavailable;
}

}  // namespace pilotfish::app
