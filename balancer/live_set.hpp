#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <span>
#include <unordered_map>
#include <vector>

#include "balancer/cluster.hpp"
#include "balancer/drain.hpp"

namespace pilotfish::balancer {

/// One place of an instance in the answer of one tier.
struct Member {
  InstanceState* state = nullptr;
  std::uint32_t weight = 1;
  std::uint32_t priority = 0;
};

/// The row of `endpoint` in a normalised answer.
[[nodiscard]] inline std::optional<std::size_t> row_of(const InstanceSet& answer,
                                                       const Endpoint& endpoint) {
  const auto& list = answer.list();
  const auto found = std::ranges::lower_bound(list, endpoint, {}, &Instance::endpoint);
  if (found == list.end() || found->endpoint != endpoint) {
    return std::nullopt;
  }
  return static_cast<std::size_t>(found - list.begin());
}

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
  /// nullptr where it is not known.
  [[nodiscard]] InstanceState* find(const Endpoint& endpoint) const {
    const auto found = known_.find(endpoint);
    return found == known_.end() ? nullptr : found->second.get();
  }

  /// What one tier holds: an answer, and parallel to it its members. `ramps`: whoever is new in it
  /// is new to a running service, so slow start applies.
  struct TierView {
    struct Place {
      const Member* member = nullptr;  ///< nullptr: nowhere in it
      const Instance* instance = nullptr;
    };
    std::span<const Member> members;
    const InstanceSet* answer = nullptr;
    bool ramps = false;
    bool shared = false;  ///< a share of new requests goes there
    /// The same of an answer to come, or nothing: who arrived ahead of it belongs to the tier, and
    /// whoever else is in it (without a state) not yet.
    std::span<const Member> coming{};
    const InstanceSet* coming_answer = nullptr;

    [[nodiscard]] Place find(const Endpoint& endpoint) const;
  };
  /// Brings tier, weight, priority and tags of one instance in line with `tiers` (best first), and
  /// notes in `changes` if it came or left. `not_in`: a tier that is known not to hold it.
  static constexpr std::size_t kAny = SIZE_MAX;
  void settle(InstanceState& state, std::span<const TierView> tiers, TimePoint now,
              Changes& changes, std::size_t not_in = kAny);
  /// The same for everyone.
  Changes settle_all(std::span<const TierView> tiers, TimePoint now);

  /// What is left to do for those who left: they are no member of anything, but still listed as
  /// present until finish() says that they departed. At most `most` of them.
  [[nodiscard]] std::size_t unfinished() const { return leaving_.size(); }
  void finish(std::size_t most, Changes& changes);

  /// Whom to mark as drained from now on, whoever comes included; gives those newly marked.
  std::vector<InstanceRef> set_drain(DrainList drain);
  /// The (first) entry that drains `endpoint`, or nullptr.
  [[nodiscard]] const DrainList::Entry* drained_by(const Endpoint& endpoint) const;
  /// The present ones that are drained.
  [[nodiscard]] const std::vector<InstanceRef>& drained() const { return drained_; }

  /// Forgets departed instances whose time is over.
  void forget(TimePoint now);
  [[nodiscard]] TimePoint next_deadline() const;

  [[nodiscard]] const std::vector<InstanceRef>& present() const { return present_; }
  /// When somebody came last to whom slow start applies.
  [[nodiscard]] TimePoint newest() const { return newest_; }
  /// Goes up whenever anybody's `apart` changes.
  [[nodiscard]] std::uint64_t apart_changes() const { return apart_changes_; }
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
  void arrive(InstanceState& state, bool ramps, TimePoint now, Changes& changes);
  void drop_oldest();
  void mark(InstanceState& state, bool drained);

  std::unordered_map<Endpoint, InstanceRef> known_;
  std::vector<InstanceRef> present_;
  std::deque<InstanceRef> leaving_;  ///< left, and not yet finished; some may be back
  std::deque<Departed> departed_;    ///< by `until`
  DrainList drain_;                  ///< by endpoint
  std::vector<InstanceRef> drained_;
  TimePoint newest_{};
  std::uint64_t generation_ = 0;
  std::uint64_t apart_changes_ = 0;
};

}  // namespace pilotfish::balancer
