#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"

namespace pilotfish::app {

/// Several workers find the same thing out at the same time (a tier that fell, a registry that
/// went away): people read it once. A line (whatever its `client`) that another worker logged
/// within the last 2 s is left out; a worker's own lines never are. Ownership: `target` outlives
/// the group, the group its workers. Thread-safety: any thread.
class WorkerLogs {
 public:
  WorkerLogs(Logger& target, std::size_t workers);
  ~WorkerLogs();
  WorkerLogs(const WorkerLogs&) = delete;
  WorkerLogs& operator=(const WorkerLogs&) = delete;

  [[nodiscard]] Logger& of(std::size_t worker);

 private:
  class One;
  struct Said {
    std::string text;
    std::size_t worker = 0;
    TimePoint at{};
  };
  [[nodiscard]] bool is_news(std::size_t worker, std::string text, TimePoint now);

  Logger& target_;
  std::mutex mutex_;
  std::vector<Said> said_;
  std::vector<std::unique_ptr<One>> workers_;
};

}  // namespace pilotfish::app
