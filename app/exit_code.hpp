#pragma once

namespace pilotfish::app {

/// Exit codes of the command line (sysexits.h has the numbers).
enum ExitCode : int {
  kExitOk = 0,
  kExitFailure = 1,
  kExitUsage = 64,
  kExitUnavailable = 69,
  kExitConfig = 78,
};

}  // namespace pilotfish::app
