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
/// In one that shares are drawn from (sort_shares()), those without a share either get groups of
/// their own in front, where they are few, or the others are passed over, while there are any.
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
    if (filter_.no_share) {
      return pick_spared_last(context, random);
    }
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
  /// For a large one: puts those who have a share of `split` (InstanceState::apart; at most `most`
  /// of them) behind the others as of now; 0: nobody is behind another here. `version`: nothing is
  /// done where it and `most` are those of the last call. Linear where `most` is so many that they
  /// could be nearly all. Before set_filter().
  void sort_shares(std::size_t most, std::uint64_t version);
  /// For a large one: whom to pass over from now on. `no_share` is its own to say.
  void set_filter(PickFilter filter);

 private:
  struct Group {
    bool weighs_nothing = false;
    bool apart = false;
    std::uint32_t priority = 0;
    Candidates candidates;                     ///< of a small one
    const TierTable::Group* source = nullptr;  ///< of a large one
    std::unique_ptr<Picker> picker;
    std::size_t seen = 0;  ///< in `source`: who could be picked when somebody was last looked for
    std::unique_ptr<const TierTable::Group> own{};  ///< `source`, where it is not the table's
  };
  Picker& picker(Group& group, Random& random) const {
    if (!group.picker) {
      make(group, random);
    }
    return *group.picker;
  }
  void make(Group& group, Random& random) const;
  InstanceState* pick_spared_last(const PickContext& context, Random& random);
  /// As many as there are groups where nobody could.
  [[nodiscard]] std::size_t first_usable(const PickFilter& filter);
  void lead_with(std::vector<TierTable::Group> own);

  Algorithm algorithm_{};
  bool ramps_ = false;
  std::vector<Group> groups_;
  std::size_t first_ = 0;
  TierTablePtr table_;
  std::span<const Member> members_;
  PickFilter filter_;
  std::size_t own_ = 0;  ///< so many groups in front are of those without a share alone
  bool spares_ = false;  ///< those with a share are passed over instead
  std::size_t sorted_most_ = 0;
  std::uint64_t sorted_version_ = UINT64_MAX;
};

}  // namespace pilotfish::balancer
