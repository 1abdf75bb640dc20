#pragma once

#include <string>
#include <vector>

#include "core/endpoint.hpp"

namespace pilotfish::proxy {

/// An instance as its active check needs it. A value.
struct CheckTarget {
  Endpoint endpoint;
  std::string authority;  ///< what it is called, with the port: Host of the probe
};

/// Whom to check, as one worker sees it: every change of the instances of an upstream that has a
/// `check:`. Thread-safety: called on the worker's thread; implementations hand it on.
class CheckFeed {
 public:
  virtual ~CheckFeed() = default;
  /// Whoever is in both lists came first and left then.
  virtual void changed(const std::string& upstream, std::vector<CheckTarget> arrived,
                       std::vector<Endpoint> left) = 0;
};

}  // namespace pilotfish::proxy
