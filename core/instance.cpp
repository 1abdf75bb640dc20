#include "core/instance.hpp"

#include <algorithm>

namespace pilotfish {

void normalise(InstanceList& instances) {
  std::erase_if(instances, [](const Instance& instance) { return instance.endpoint.port == 0; });
  std::ranges::stable_sort(instances, {}, &Instance::endpoint);
  const auto repeated = std::ranges::unique(instances, {}, &Instance::endpoint);
  instances.erase(repeated.begin(), repeated.end());
}

const InstanceList& InstanceSet::nothing() {
  static const InstanceList none;
  return none;
}

}  // namespace pilotfish
