#pragma once

#include <memory>

#include "bench/harness/registry.hpp"

namespace pilotfish::bench {

/// A Consul agent in development mode on ports that were free. Instances have a TTL check that only
/// the harness turns. An agent that was gone has forgotten all: end_outage() registers it again.
[[nodiscard]] std::unique_ptr<Registry> start_consul();

/// CoreDNS over etcd, without a cache. Records have a TTL of 1 s; an instance is in the zone while
/// it is not critical; of its tags the first counts. An outage is CoreDNS's, etcd stays.
[[nodiscard]] std::unique_ptr<Registry> start_coredns();

}  // namespace pilotfish::bench
