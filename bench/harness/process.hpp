#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// A child process whose output goes to a file and that inherits no other descriptor. It is in a
/// process group of its own (the terminal's Ctrl-C is ours alone) and the kernel ends it should we
/// die. Start it from a thread that lives as long as it is to live. Thread-safety: none.
class ChildProcess {
 public:
  /// Throws std::system_error where it cannot be started. `without` are the beginnings of the names
  /// of environment variables that the child is not to see.
  ChildProcess(const std::vector<std::string>& command, const std::filesystem::path& output,
               const std::vector<std::string>& without = {});
  /// Ends it if it still runs.
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  [[nodiscard]] pid_t pid() const { return pid_; }
  /// The exit code, 128 + signal where a signal ended it; empty while it runs.
  std::optional<int> exit_code();
  void send(int signal);
  /// SIGSTOP, and waits until all of it stands still, at most 5 s. SIGCONT sets it going again.
  void freeze();
  /// SIGTERM, after `grace` SIGKILL; reaps it. Its exit code.
  int terminate(Duration grace);
  /// The end of its output, for error messages.
  [[nodiscard]] std::string output_tail(std::size_t bytes = 2000) const;

 private:
  pid_t pid_ = -1;
  std::filesystem::path output_;
  std::optional<int> code_;
};

/// The sidecar's executable: PILOTFISH_BIN, else the one beside our own. Empty where neither is.
[[nodiscard]] std::optional<std::filesystem::path> find_pilotfish();

/// How a sidecar came up.
enum class Readiness { kReady, kExited, kTimeout };
/// Waits until its /ready says 200.
[[nodiscard]] Readiness wait_until_ready(ChildProcess& child, const Endpoint& admin,
                                         Duration limit);

}  // namespace pilotfish::bench
