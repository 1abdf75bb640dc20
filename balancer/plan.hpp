#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balancer/live_set.hpp"
#include "balancer/picker.hpp"
#include "balancer/tier_table.hpp"

namespace pilotfish::balancer {

/// The order in which the instances of one tier are used: groups of equal SRV priority, a lower
/// number first, those that have a share of `split` behind the others, then those of weight 0
/// (again by priority; equal shares among them). A group is used when every instance of those
/// before it is ejected or tried. Where every weight is 0 there is nothing but the second kind, so
/// all get equal shares.
///
/// A small one is made anew when the answer, the serving tier, an ejection or a slow-start step
/// changes it, and holds only who may be picked. A large one is made from a table, holds everyone
/// and is kept as long as the answer; who may not be picked just now is passed over (set_filter()).
/// Thread-safety: none. Borrows the instances, and a large one the members.
class Plan {
 public:
  struct Settings {
    Algorithm algorithm{};
    bool all = false;  ///< panic: also who is barred
    Duration slow_start{};
  };

  Plan() = default;
  Plan(std::span<const Member> members, const Settings& settings, TimePoint now, Random& random);
  Plan(std::span<const Member> members, TierTablePtr table);

  /// nullptr iff every candidate is in `context.tried`, or there is none. Allocates only when a
  /// group is used for the first time.
  [[nodiscard]] InstanceState* pick(const PickContext& context, Random& random) {
    for (auto& group : groups_) {
      if (auto* instance = picker(group, random).pick(context, random)) {
        return instance;
      }
    }
    return nullptr;
  }
  /// The picker of the first group of use, for the hot path; nullptr where there is no candidate.
  [[nodiscard]] Picker* first(Random& random) {
    return groups_.empty() ? nullptr : &picker(groups_[first_], random);
  }

  [[nodiscard]] bool empty() const { return groups_.empty(); }
  /// SRV priority of the first group of use, and whether it is one of weight 0.
  [[nodiscard]] std::uint32_t first_priority() const { return groups_[first_].priority; }
  [[nodiscard]] bool first_weighs_nothing() const { return groups_[first_].weighs_nothing; }
  /// An instance in it has less than its full weight as yet. A large one passes it over instead.
  [[nodiscard]] bool ramps() const { return ramps_; }

  /// The table of a large one; null of a small one.
  [[nodiscard]] const TierTablePtr& table() const { return table_; }
  /// For a large one: whom to pass over from now on, and the first group that has anybody.
  void set_filter(const PickFilter& filter, std::size_t first);

 private:
  struct Group {
    bool weighs_nothing = false;
    bool apart = false;
    std::uint32_t priority = 0;
    Candidates candidates;                     ///< of a small one
    const TierTable::Group* source = nullptr;  ///< of a large one
    std::unique_ptr<Picker> picker;
  };
  Picker& picker(Group& group, Random& random) const {
    if (!group.picker) {
      make(group, random);
    }
    return *group.picker;
  }
  void make(Group& group, Random& random) const;

  Algorithm algorithm_{};
  bool ramps_ = false;
  std::vector<Group> groups_;
  std::size_t first_ = 0;
  TierTablePtr table_;
  std::span<const Member> members_;
  PickFilter filter_;
};

}  // namespace pilotfish::balancer
