#pragma once

namespace pilotfish::bench {

/// SIGINT, SIGTERM and SIGHUP set a flag once; the next one ends the process as usual. SIGPIPE is
/// ignored, so that a closed output is an error of write().
void catch_interrupts();
[[nodiscard]] bool interrupted();

}  // namespace pilotfish::bench
