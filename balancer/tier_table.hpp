#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "balancer/options.hpp"
#include "balancer/picker.hpp"
#include "core/instance.hpp"

namespace pilotfish::balancer {

/// Everything about an answer that depends on nothing but the answer: in which order its instances
/// are used (plan.hpp) and each group's index. Immutable, without live state: made on any thread,
/// shared by all workers. Pure.
struct TierTable {
  TierTable(InstanceSet answer, Algorithm how);

  struct Group {
    bool weighs_nothing = false;
    std::uint32_t priority = 0;
    std::vector<std::uint32_t> rows;  ///< of `instances`
    PickIndexPtr index;
    std::uint64_t weight = 0;  ///< of all of them; a weight of 0 counts as 1
    std::uint32_t heaviest = 1;
  };
  /// Makes index and weight of a group of such rows.
  void index(Group& group) const;

  InstanceSet instances;
  Algorithm algorithm;
  std::size_t weighted = 0;  ///< instances with a weight above 0
  std::vector<Group> groups;
};
using TierTablePtr = std::shared_ptr<const TierTable>;

/// What makes one answer out of another. Pure; both are normalised.
struct TierDiff {
  TierDiff() = default;
  TierDiff(InstanceSet former, InstanceSet next);

  static constexpr std::uint32_t kNew = UINT32_MAX;
  InstanceSet from;
  InstanceSet to;
  std::vector<std::uint32_t> origin;   ///< of each row of `to`: its row in `from`, or kNew
  std::vector<std::uint32_t> arrived;  ///< rows of `to` that are not in `from`
  std::vector<std::uint32_t> changed;  ///< rows of `to` with another weight, priority or tags
  std::vector<std::uint32_t> left;     ///< rows of `from` that are not in `to`
};

/// A large answer with what was prepared for it. Cluster::on_answer() uses what still fits and
/// makes the rest itself.
struct PreparedTier {
  InstanceSet answer;
  TierTablePtr table;
  TierDiff diff;
};
using PreparedTierPtr = std::shared_ptr<const PreparedTier>;

}  // namespace pilotfish::balancer
