#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "bench/harness/process.hpp"
#include "bench/harness/temp_dir.hpp"
#include "bench/harness/unavailable.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// A `pilotfish run` with a configuration of the caller's, on ports that were free, ready to
/// serve. Ownership: ends the process, removes its files. Thread-safety: none.
class Sidecar {
 public:
  /// Writes the configuration for an admin and a listening port.
  using Configure = std::function<std::string(const Endpoint& admin, const Endpoint& listen)>;

  /// `log`: where its output goes, appended; empty: a file that goes with it.
  /// Throws Unavailable where the executable is missing or does not become ready in time, with what
  /// it said. A port that was taken meanwhile is tried again with another.
  Sidecar(const Configure& configure, Duration limit, const std::filesystem::path& log = {});

  [[nodiscard]] const Endpoint& admin() const { return admin_; }
  [[nodiscard]] const Endpoint& listen() const { return listen_; }
  [[nodiscard]] ChildProcess& process() { return *process_; }

 private:
  TempDir directory_;
  Endpoint admin_;
  Endpoint listen_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace pilotfish::bench
