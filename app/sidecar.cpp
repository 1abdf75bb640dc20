#include "app/sidecar.hpp"

#include <csignal>
#include <exception>
#include <system_error>
#include <unistd.h>

#include "app/exit_code.hpp"
#include "app/file_watch.hpp"
#include "app/logger.hpp"
#include "app/startup.hpp"
#include "app/supervisor.hpp"

namespace pilotfish::app {

int run_sidecar(const std::string& file, bool watch, std::ostream& err) {
  const auto stamp = file_stamp(file);  // before it is read: a change in between is seen
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
    Supervisor supervisor(file, std::move(*options), std::move(bound), logger, screen);
    if (watch) {
      supervisor.watch_file(stamp);
    }
    return supervisor.run();
  } catch (const BindError& error) {
    screen.write("pilotfish: " + std::string(error.what()) + "\n");
  } catch (const std::system_error& error) {
    screen.write("pilotfish: " + std::string(error.what()) + "\n");
  }
  return kExitUnavailable;
}

}  // namespace pilotfish::app
