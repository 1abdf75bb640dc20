#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish {

/// One instance of a service as the registry announces it. A value; equality covers every field.
struct Instance {
  Endpoint endpoint;
  /// SRV weight, 0..65535, linear. 0 gets traffic only when nothing else is left (it drains).
  std::uint32_t weight = 1;
  /// SRV priority, 0..65535; every instance of a lower number comes first (RFC 2782).
  std::uint32_t priority = 0;
  /// The tags it was found under, sorted; empty where the source has none.
  std::vector<std::string> tags;

  friend bool operator==(const Instance&, const Instance&) = default;
};

/// Normalised: sorted by endpoint, each endpoint once.
using InstanceList = std::vector<Instance>;

/// Sorts by endpoint and drops repeated endpoints; the first occurrence in the given order stays
/// (design.md section 4: duplicates count once with the first weight). Instances with port 0 go.
void normalise(InstanceList& instances);

}  // namespace pilotfish
