#pragma once

#include <map>
#include <vector>

#include "bench/scenarios/change.hpp"

namespace pilotfish::bench {

/// How evenly requests were spread over the instances that were to get them.
struct Spread {
  /// The largest of the instances' requests over their mean; 1 is even. Where the set changed, each
  /// instance's requests count relative to an even share of those that came while it was in.
  double imbalance = 0;
  std::size_t instances = 0;     ///< that were eligible
  std::size_t with_traffic = 0;  ///< of these, that got a request
  /// How many requests it took until each had got one; 0 where one got none.
  std::size_t requests_until_all = 0;
};

/// From `start` on, with these eligible at first and the changes to them. Instances with an even
/// share below `least` requests do not count for the imbalance: chance would speak. Pure.
[[nodiscard]] Spread measure_spread(const PortSet& at_first,
                                    const std::vector<RegistryChange>& changes,
                                    std::vector<Arrival> arrivals, TimePoint start,
                                    double least = 20);

}  // namespace pilotfish::bench
