#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish::balancer {

/// Instances that get no new requests although the registry names them: `drain:`. A value; in any
/// order until it is sorted, which find() relies on.
struct DrainList {
  struct Entry {
    Endpoint endpoint;
    std::string by;  ///< what names it in the file: "10.0.0.5:80", "node:web-3"
    friend bool operator==(const Entry&, const Entry&) = default;
  };
  std::vector<Entry> entries;

  /// By endpoint; of those with the same one the first stays the first.
  void sort() { std::ranges::stable_sort(entries, {}, &Entry::endpoint); }
  /// The (first) entry for `endpoint`, or nullptr. Once sorted; the cluster's is.
  [[nodiscard]] const Entry* find(const Endpoint& endpoint) const {
    const auto found = std::ranges::lower_bound(entries, endpoint, {}, &Entry::endpoint);
    return found == entries.end() || found->endpoint != endpoint ? nullptr : &*found;
  }
  friend bool operator==(const DrainList&, const DrainList&) = default;
};

}  // namespace pilotfish::balancer
