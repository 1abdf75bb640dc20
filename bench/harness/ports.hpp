#pragma once

#include <cstdint>

#include "core/endpoint.hpp"
#include "core/random.hpp"

namespace pilotfish::bench {

/// Ports of 127.0.0.1 for programs and backends that must find theirs again after a restart: free
/// for TCP and UDP, and below the range from which the kernel takes those of outgoing connections.
/// Never the same one twice. Thread-safety: none.
class Ports {
 public:
  /// Begins at a place of the seed's choosing.
  explicit Ports(std::uint64_t seed);

  /// Throws Unavailable where none is left.
  [[nodiscard]] Endpoint next();

 private:
  std::uint32_t first_;
  std::uint32_t taken_ = 0;
};

/// A seed that differs from run to run.
[[nodiscard]] std::uint64_t any_seed();

}  // namespace pilotfish::bench
