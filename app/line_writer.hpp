#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "app/descriptor.hpp"

namespace pilotfish::app {

/// Lines to a descriptor without ever blocking who writes them: a bounded buffer that one thread
/// empties. Where the sink is slow, stuck or full, whole lines are dropped and reported.
/// Thread-safety: write(), reopen() from any thread.
class LineWriter {
 public:
  struct Options {
    std::size_t capacity = 4UL * 1024 * 1024;  ///< bytes that may wait
    /// Waits this long after the first line, so that a busy sender is not paid for line by line.
    std::chrono::milliseconds batch{0};
    /// How long the destructor waits for a stuck sink.
    std::chrono::milliseconds linger{1000};
    /// Gets the number of lines lost; called under the writer's lock, one call at a time.
    std::function<void(std::size_t)> on_dropped = [](std::size_t) {};
  };

  /// Writes to `fd`, which stays the caller's (stdout, stderr).
  LineWriter(int fd, Options options);
  /// Appends to a file that reopen() opens anew. Throws std::system_error where it cannot be.
  LineWriter(std::string path, Options options);
  ~LineWriter();
  LineWriter(const LineWriter&) = delete;
  LineWriter& operator=(const LineWriter&) = delete;

  /// `line` ends with its newline (or newlines). False where it was dropped.
  bool write(std::string_view line);
  /// After logrotate moved the file: the next line goes to a new one. The old one stays where the
  /// path cannot be opened.
  void reopen();
  /// Waits until what was written so far is out, or the limit.
  void flush(std::chrono::milliseconds limit);

 private:
  void run();
  void reopen_now();
  void write_out(const std::string& text);
  [[nodiscard]] bool wait_writable();
  [[nodiscard]] bool give_up();

  Options options_;
  std::string path_;
  Descriptor own_;
  int fd_ = -1;
  bool regular_ = false;

  std::mutex mutex_;
  std::condition_variable wake_;
  std::condition_variable written_;
  std::string pending_;
  bool writing_ = false;
  bool reopen_ = false;
  bool stop_ = false;
  std::chrono::steady_clock::time_point stop_by_;
  std::thread thread_;
};

}  // namespace pilotfish::app
