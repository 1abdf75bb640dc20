#pragma once

#include <algorithm>
#include <tuple>

#include "core/instance.hpp"

namespace pilotfish {

/// For registries that list instances in any order (Consul's DNS shuffles): puts the lowest
/// priority number, then the highest weight, first, so that of repeated endpoints normalise() keeps
/// the same one every time. Pure.
inline void best_first(InstanceList& instances) {
  std::ranges::stable_sort(instances, [](const Instance& a, const Instance& b) {
    return std::tie(a.priority, b.weight) < std::tie(b.priority, a.weight);
  });
}

}  // namespace pilotfish
