#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "balancer/cluster.hpp"
#include "balancer/options.hpp"
#include "balancer/size_window.hpp"

namespace pilotfish::balancer {

/// What tier selection needs to know of one tier.
struct TierCounts {
  /// In the current answer and not drained; 0 also where there never was a good one.
  std::size_t size = 0;
  std::size_t healthy = 0;    ///< eligible, and weight above 0 (or every weight is 0)
  std::size_t eligible = 0;   ///< neither ejected nor unhealthy, whatever the weight
  std::size_t ejected = 0;    ///< and not unhealthy
  std::size_t unhealthy = 0;  ///< by an active check
  std::size_t drained = 0;    ///< by configuration: as if they were not there
};

/// Which tier serves: the hysteresis of docs/how-it-decides.md over counts alone.
///
/// - A tier is enough with min_healthy healthy instances (never fewer than one).
/// - A serving tier that is enough gives way only to a better one that was enough for
///   fail_back_after without a break. A tier whose very first answer is enough counts as having
///   been so all along, so that the order in which the first answers come does not matter.
/// - A serving tier that is not enough gives way at once: to the best tier that is enough and is
///   worse or has waited long enough; else to the best that is enough; else to the best that has a
///   healthy instance, an eligible one, any one (ejection is then ignored: panic).
/// - When every tier is empty the serving one is held for hold_empty, then none serves; at once
///   where what it has left is drained: that is no mistake of the registry.
/// Pure. Thread-safety: none.
class TierSelection {
 public:
  struct Change {
    int from = -1;
    int to = -1;
    TierReason reason{};
  };

  TierSelection(std::size_t tiers, FallbackOptions options);

  /// Judges the counts as of `now`; call it when one changed or next_deadline() has come.
  /// `answered[i]`: tier i has had an answer that was not a failure.
  std::optional<Change> update(std::span<const TierCounts> counts,
                               const std::vector<bool>& answered, TimePoint now);
  void set_options(const FallbackOptions& options) { options_ = options; }
  /// Other tiers from now on: new tier i continues the former tier `from[i]`, or none (-1). Where
  /// the serving one is not continued none serves until the next update, which is a start. One that
  /// came to stand before the serving one does not wait for fail_back_after.
  void set_tiers(std::span<const int> from);

  [[nodiscard]] int serving() const { return serving_; }
  [[nodiscard]] bool ever_served() const { return ever_served_; }
  /// The serving tier answered empty like all others; its last good set is used until hold_end().
  [[nodiscard]] bool holding() const { return hold_since_.has_value(); }
  [[nodiscard]] TimePoint hold_end() const;
  [[nodiscard]] bool enough(std::size_t tier) const {
    return tiers_[tier].healthy_since.has_value();
  }
  /// Healthy instances the tier needs, as of the last update.
  [[nodiscard]] std::size_t needed(std::size_t tier) const { return tiers_[tier].needed; }
  [[nodiscard]] TimePoint next_deadline() const;

 private:
  struct Tier {
    SizeWindow sizes{std::chrono::minutes(10)};
    std::size_t needed = 1;
    std::optional<TimePoint> healthy_since;
    bool answered = false;
    bool from_start = false;  ///< enough since its first answer: does not wait
  };
  void judge(Tier& tier, const TierCounts& counts, bool answered, TimePoint now) const;
  [[nodiscard]] bool matured(const Tier& tier, TimePoint now) const;
  [[nodiscard]] Change choose(std::span<const TierCounts> counts, TimePoint now) const;

  FallbackOptions options_;
  std::vector<Tier> tiers_;
  int serving_ = -1;
  bool ever_served_ = false;
  std::optional<TimePoint> hold_since_;
};

}  // namespace pilotfish::balancer
