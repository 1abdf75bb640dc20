#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balancer/live_set.hpp"
#include "balancer/picker.hpp"

namespace pilotfish::balancer {

/// The order in which the instances of one tier are used: groups of equal SRV priority, a lower
/// number first, then those of weight 0 (again by priority; equal shares among them). A group is
/// used when every instance of those before it is ejected or tried.
/// Where every weight is 0 there is nothing but the second kind, so all get equal shares.
/// Made anew when the answer, the serving tier, an ejection or a slow-start step changes it.
/// Thread-safety: none. Borrows the instances.
class Plan {
 public:
  struct Settings {
    Algorithm algorithm{};
    bool ignore_ejection = false;
    Duration slow_start{};
  };

  Plan() = default;
  Plan(std::span<const Member> members, const Settings& settings, TimePoint now, Random& random);

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
  /// The picker of the first group, for the hot path; nullptr where there is no candidate.
  [[nodiscard]] Picker* first() const {
    return groups_.empty() ? nullptr : groups_.front().picker.get();
  }
  /// Whether a candidate exists that is not in `tried`.
  [[nodiscard]] bool another(std::span<InstanceState* const> tried) const;

  [[nodiscard]] bool empty() const { return groups_.empty(); }
  /// SRV priority of the first group, and whether it is one of weight 0.
  [[nodiscard]] std::uint32_t first_priority() const { return groups_.front().priority; }
  [[nodiscard]] bool first_weighs_nothing() const { return groups_.front().weighs_nothing; }
  /// An instance in it has less than its full weight as yet.
  [[nodiscard]] bool ramps() const { return ramps_; }

 private:
  struct Group {
    bool weighs_nothing = false;
    std::uint32_t priority = 0;
    Candidates candidates;
    std::unique_ptr<Picker> picker;
  };
  Picker& picker(Group& group, Random& random) const {
    if (!group.picker) {
      group.picker = make_picker(algorithm_, group.candidates, random);
    }
    return *group.picker;
  }

  Algorithm algorithm_{};
  bool ramps_ = false;
  std::vector<Group> groups_;
};

}  // namespace pilotfish::balancer
