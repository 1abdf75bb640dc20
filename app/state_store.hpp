#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "app/disk_thread.hpp"
#include "app/state_codec.hpp"
#include "app/state_lock.hpp"
#include "config/root_options.hpp"
#include "core/clock.hpp"
#include "core/log.hpp"
#include "proxy/proxy.hpp"

namespace pilotfish::app {

[[nodiscard]] inline WallTime wall_now() {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

/// `state_dir`: the last good answers of each upstream in `<state_dir>/<upstream>.json`, for a
/// restart while the registry is down. Static sources need none. Nothing here is fatal: what cannot
/// be read is ignored, what cannot be written is tried again, each with one log line. All files are
/// read and written on a thread of its own: a disk that stalls keeps nobody waiting.
/// Ownership: `logger` outlives it. Thread-safety: none; the main thread's.
class StateStore {
 public:
  /// How often to call update().
  static constexpr Duration kEvery = std::chrono::seconds(2);
  /// Where only the times changed, a file is written again this seldom.
  static constexpr Duration kTimesEvery = std::chrono::minutes(1);
  /// A disk that takes longer is said to stall.
  static constexpr Duration kStalls = std::chrono::seconds(10);

  /// Replaces a file, as replace_state_file().
  using Replace = std::function<std::string(const std::string& path, const std::string& text)>;
  /// `lock` is held until the last file is written.
  StateStore(const config::RootOptions& options, Logger& logger,
             std::shared_ptr<const StateLock> lock = nullptr, Replace replace = {});

  /// Reads what a former run kept: the answers to begin with. Their ages count from `wall`. In two
  /// steps, with a wait of at most the caller's patience in between: what has not come by
  /// take_loaded() is not waited for.
  void begin_load();
  [[nodiscard]] std::vector<proxy::Proxy::Seed> take_loaded(WallTime wall, TimePoint now);

  /// Takes new answers in and has written what changed. A good answer replaces the kept one; a
  /// failed one keeps it; one without instances drops it, unless its old set is still held in use.
  void update(const std::vector<proxy::UpstreamStatus>& statuses, WallTime wall, TimePoint now);
  /// Before the end: new times are written also where nothing else changed.
  void finish(TimePoint now);
  /// What was to be read and written is.
  [[nodiscard]] net::Awaitable<bool> wait(net::Executor executor, TimePoint deadline) {
    return disk_.wait(executor, deadline);
  }
  [[nodiscard]] bool wait(Duration limit) { return disk_.wait(limit); }

 private:
  struct Entry {
    KeptAnswers kept;
    bool changed = false;  // instances differ from the file's
    bool newer = false;    // only times do
    bool writing = false;  // with the disk's thread
    TimePoint written{};
    std::string problem;  // of the last write
  };
  /// What the disk's thread found out; shared with its jobs.
  struct Found {
    struct Line {
      std::string what;
      std::string field;
      std::string value;
      std::string why;
    };
    struct Written {
      std::size_t entry = 0;
      std::string problem;
    };
    std::mutex mutex;
    std::vector<KeptAnswers> loaded;
    std::vector<Line> lines;
    std::vector<Written> written;
  };
  void take(Entry& entry, const proxy::UpstreamStatus& status, WallTime wall, TimePoint now);
  void write(std::size_t number, TimePoint now);
  void take_written();
  void judge_disk(TimePoint now);
  [[nodiscard]] std::string path_of(const std::string& upstream) const;

  std::string directory_;
  Logger& logger_;
  std::shared_ptr<const StateLock> lock_;
  Replace replace_;
  std::vector<Entry> entries_;
  std::shared_ptr<Found> found_ = std::make_shared<Found>();
  TimePoint busy_since_{};  // zero: it is not
  bool stalled_ = false;    // and the log says so
  DiskThread disk_;
};

}  // namespace pilotfish::app
