#include "core/instance.hpp"

#include <algorithm>
#include <tuple>

namespace pilotfish {

void normalise(InstanceList& instances) {
  std::erase_if(instances, [](const Instance& instance) { return instance.endpoint.port == 0; });
  std::ranges::stable_sort(instances, [](const Instance& a, const Instance& b) {
    return std::tie(a.endpoint, a.priority, b.weight) < std::tie(b.endpoint, b.priority, a.weight);
  });
  const auto repeated = std::ranges::unique(instances, {}, &Instance::endpoint);
  instances.erase(repeated.begin(), repeated.end());
}

const InstanceList& InstanceSet::nothing() {
  static const InstanceList none;
  return none;
}

}  // namespace pilotfish
