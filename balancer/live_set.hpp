#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "balancer/cluster.hpp"

namespace pilotfish::balancer {

/// One place of an instance in the answer of one tier.
struct Member {
  InstanceState* state = nullptr;
  std::uint32_t weight = 1;
  std::uint32_t priority = 0;
};

/// The instances of every tier and those that left, keyed by address:port: what is known of an
/// instance survives answers, tiers and a short absence.
/// Departed ones are kept for 10 min (their count of ejections) and while requests run on them, at
/// most 4096 of them; the oldest go first.
/// Pure. Thread-safety: none. Owns the instances together with the requests that run on them.
class LiveSet {
 public:
  static constexpr std::size_t kMaxDeparted = 4096;

  struct Changes {
    std::vector<InstanceRef> arrived;
    std::vector<InstanceRef> departed;
  };

  /// The state of `endpoint`, made where it is not known.
  InstanceState& obtain(const Endpoint& endpoint);

  /// Brings tier, weight, priority and tags of every instance in line with `tiers` (best first;
  /// the members and, parallel to them, the tags) and tells who came and who left. `ramps[i]`:
  /// whoever is new in tier i is new to a running service, so slow start applies.
  struct TierView {
    std::span<const Member> members;
    const InstanceList* answer = nullptr;  ///< for tags; found by endpoint
    bool ramps = false;
  };
  Changes assign(std::span<const TierView> tiers, TimePoint now);

  /// Forgets departed instances whose time is over.
  void forget(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] const std::vector<InstanceRef>& present() const { return present_; }
  /// Calls `visit(state)` for every departed instance that is still kept, the oldest first.
  template <typename Visit>
  void each_departed(Visit&& visit) const {
    for (const auto& entry : departed_) {
      if (current(entry)) {
        visit(entry.state);
      }
    }
  }

 private:
  struct Departed {
    InstanceRef state;
    TimePoint at;     ///< equal to the state's left_at unless it came back since
    TimePoint until;  ///< kept until then
  };
  static bool current(const Departed& entry) {
    return entry.state->tier < 0 && entry.state->left_at == entry.at;
  }
  void drop_oldest();

  std::unordered_map<Endpoint, InstanceRef> known_;
  std::vector<InstanceRef> present_;
  std::deque<Departed> departed_;  ///< by `until`
  std::uint64_t generation_ = 0;
};

}  // namespace pilotfish::balancer
