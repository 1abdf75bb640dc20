#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "app/state_codec.hpp"
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
/// be read is ignored, what cannot be written is tried again, each with one log line.
/// Ownership: `logger` outlives it. Thread-safety: none; the main thread's (it does file I/O).
class StateStore {
 public:
  /// How often to call update().
  static constexpr Duration kEvery = std::chrono::seconds(2);
  /// Where only the times changed, a file is written again this seldom.
  static constexpr Duration kTimesEvery = std::chrono::minutes(1);

  StateStore(const config::RootOptions& options, Logger& logger);

  /// Reads what a former run kept: the answers to begin with. Their ages count from `wall`.
  [[nodiscard]] std::vector<proxy::Proxy::Seed> load(WallTime wall, TimePoint now);

  /// Takes new answers in and writes what changed. A good answer replaces the kept one; a failed
  /// one keeps it; one without instances drops it, unless its old set is still held in use.
  void update(const std::vector<proxy::UpstreamStatus>& statuses, WallTime wall, TimePoint now);
  /// Before the end: writes new times also where nothing else changed.
  void finish(TimePoint now);

 private:
  struct Entry {
    KeptAnswers kept;
    bool changed = false;  // instances differ from the file's
    bool newer = false;    // only times do
    TimePoint written{};
    std::string problem;  // of the last write
  };
  void load_one(Entry& entry);
  void take(Entry& entry, const proxy::UpstreamStatus& status, WallTime wall, TimePoint now);
  void write(Entry& entry, TimePoint now);
  [[nodiscard]] std::string path_of(const Entry& entry) const;

  std::string directory_;
  Logger& logger_;
  std::vector<Entry> entries_;
};

}  // namespace pilotfish::app
