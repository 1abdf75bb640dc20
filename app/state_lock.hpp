#pragma once

#include <memory>
#include <string>
#include <sys/types.h>

#include "app/descriptor.hpp"

namespace pilotfish::app {

/// One process at a time for one `state_dir`: flock(2) on `<state_dir>/lock`, which also names who
/// holds it. Given back with its last owner, or with the process, however that ends.
/// Thread-safety: immutable.
class StateLock {
 public:
  struct Taken {
    std::shared_ptr<const StateLock> lock;
    std::string problem;  ///< why there is none; empty where there is
    bool in_use = false;  ///< another process has it
  };
  /// Creates the directory where it is missing. `held`: what this process has already; the same
  /// directory under another name gives that one again. Waits for the disk.
  [[nodiscard]] static Taken take(const std::string& directory,
                                  const std::shared_ptr<const StateLock>& held = nullptr);

 private:
  StateLock(Descriptor file, dev_t device, ino_t inode)
      : file_(std::move(file)), device_(device), inode_(inode) {}
  Descriptor file_;
  dev_t device_;
  ino_t inode_;
};

}  // namespace pilotfish::app
