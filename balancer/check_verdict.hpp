#pragma once

#include <string>

#include "core/endpoint.hpp"

namespace pilotfish::balancer {

/// What an active check found of one instance. A value.
struct CheckVerdict {
  Endpoint endpoint;
  bool healthy = true;
  std::string why;  ///< of an unhealthy one, for people: "GET /health: 503"
};

}  // namespace pilotfish::balancer
