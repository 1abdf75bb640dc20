#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/clock.hpp"
#include "core/token_bucket.hpp"

namespace pilotfish::resolver {

/// Decides when one name is looked up, and which lookup satisfies which arrival.
///
/// Lookups of a name are numbered in the order they begin (generation 1, 2, ...); at most one is in
/// flight. An arrival needs the next one to begin, which all arrivals until then share: a group
/// commit. Pacing delays that next one; it never adds another. After 3 lookups in a row ran out of
/// time, the gate is open: arrivals neither wait nor cause lookups, and one probe a second goes on.
/// Pure. Thread-safety: none; one per name and worker.
class LookupGate {
 public:
  using Generation = std::uint64_t;
  /// Satisfied at once, by nothing: what an arrival gets while the gate is open.
  static constexpr Generation kNone = 0;
  static constexpr TimePoint kNever = TimePoint::max();
  static constexpr std::uint32_t kTimeoutsToOpen = 3;
  static constexpr Duration kRetry = std::chrono::seconds(1);
  static constexpr Duration kIdle = std::chrono::seconds(10);

  /// `per_second`: lookups at most, this worker's share.
  explicit LookupGate(double per_second)
      : per_second_(std::max(1.0, per_second)), bucket_(bucket(per_second_)) {}

  /// Another user of the name allows only so many; the lowest counts.
  void limit(double per_second) {
    if (per_second < per_second_) {
      set_rate(per_second);
    }
  }
  /// The rate is this one from now on, also where it is higher (reload).
  void set_rate(double per_second) {
    if (std::max(1.0, per_second) != per_second_) {
      per_second_ = std::max(1.0, per_second);
      bucket_ = bucket(per_second_);
    }
  }

  /// An arrival that needs a lookup which begins after it.
  Generation arrive();
  /// An arrival that is content with an answer whose TTL has not run out: kNone for those, else a
  /// lookup in flight is shared. Asks for a refresh ahead of the TTL's end.
  Generation arrive_cached(TimePoint now);
  /// True where an answer's TTL covers `now`.
  [[nodiscard]] bool cached(TimePoint now) const { return now < expires_; }

  /// Asks for a lookup on nobody's behalf, e.g. at start.
  void want() { wanted_ = std::max(wanted_, started_ + 1); }

  /// True where a lookup begins now; the caller performs it and calls finish().
  [[nodiscard]] bool begin(TimePoint now);
  /// When begin() is to be called next; kNever while one is in flight (finish() comes first).
  [[nodiscard]] TimePoint next_at(TimePoint now);

  enum class End : std::uint8_t { kAnswered, kFailed, kTimedOut };
  /// The lookup in flight ended. `ttl` counts for kAnswered: floor 1 s, ceiling 5 min.
  void finish(End end, Duration ttl, TimePoint now);

  [[nodiscard]] bool in_flight() const { return started_ != finished_; }
  /// Nothing to wait for: the lookup ended, or nobody waits any more.
  [[nodiscard]] bool released(Generation generation) const {
    return generation <= finished_ || open();
  }
  /// A lookup that began at or after the arrival was answered.
  [[nodiscard]] bool fresh(Generation generation) const {
    return generation != kNone && generation <= answered_;
  }
  [[nodiscard]] bool open() const { return timeouts_ >= kTimeoutsToOpen; }
  [[nodiscard]] Generation started() const { return started_; }
  [[nodiscard]] TimePoint last_started() const { return last_started_; }

  /// Background lookups of an idle name come every 10 s from now on, however long its TTL; without
  /// it (names used with `fresh: ttl` alone) they wait for the TTL where that is longer.
  void ask_when_idle() { follow_ttl_ = false; }

 private:
  [[nodiscard]] bool wanted() const { return wanted_ > started_ && !open(); }

  static TokenBucket bucket(double per_second) {
    return {per_second, std::max(1.0, per_second / 100.0)};
  }

  double per_second_;
  TokenBucket bucket_;
  Generation wanted_ = 0;
  Generation started_ = 0;
  Generation finished_ = 0;
  Generation answered_ = 0;
  std::uint32_t timeouts_ = 0;
  bool follow_ttl_ = true;
  TimePoint last_started_{};
  TimePoint background_at_ = kNever;  ///< the next lookup that nobody asked for
  TimePoint refresh_at_ = kNever;     ///< ahead of the TTL's end, if the answer was used
  TimePoint expires_{};
};

}  // namespace pilotfish::resolver
