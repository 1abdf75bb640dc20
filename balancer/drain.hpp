#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish::balancer {

/// Instances that get no new requests although the registry names them: `drain:`. A value.
struct DrainList {
  struct Entry {
    Endpoint endpoint;
    std::string by;  ///< what names it in the file: "10.0.0.5:80", "node:web-3"
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;

  [[nodiscard]] const Entry* find(const Endpoint& endpoint) const {
    const auto found = std::ranges::find(entries, endpoint, &Entry::endpoint);
    return found == entries.end() ? nullptr : &*found;
  }
  friend bool operator==(const DrainList&, const DrainList&) = default;
};

}  // namespace pilotfish::balancer
