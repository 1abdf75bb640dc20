#pragma once

#include <atomic>
#include <mutex>
#include <string>
#include <thread>

#include "bench/scenarios/scenario.hpp"
#include "core/clock.hpp"

namespace pilotfish::bench {

/// What the progress line says. Pure.
struct ProgressView {
  std::string scenario;
  Turn turn;
  int rounds = 0;
  Duration elapsed{};
  Duration left{};
};
/// `steady  haproxy  256 connections  round 2/5  elapsed 34s  about 1m12s left`.
[[nodiscard]] std::string progress_text(const ProgressView& view);

/// Shows how far a run is: on a terminal one line that is drawn anew, elsewhere a line at each
/// round. On stderr, so that a redirected result stays clean. Thread-safety: none; draws on a
/// thread of its own while a turn runs.
class Progress {
 public:
  Progress(std::string scenario, int rounds);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// This turn begins; `left` is what it and those after it are expected to take.
  void begin(const Turn& turn, Duration left);

 private:
  void run();
  void draw();

  const bool terminal_;
  const TimePoint start_;
  std::mutex mutex_;
  ProgressView view_;
  TimePoint turn_began_;
  Duration left_{};
  int announced_ = -1;
  bool drawn_ = false;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

}  // namespace pilotfish::bench
