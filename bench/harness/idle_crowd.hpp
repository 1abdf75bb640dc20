#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "bench/harness/raw_sockets.hpp"
#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

/// Connections that made one request each and then keep quiet. On the calling thread.
/// Ownership: closes them. Thread-safety: none.
class IdleCrowd {
 public:
  /// Opens that many, one request on each, a few at a time. Fewer where one fails: see error().
  IdleCrowd(const std::vector<Endpoint>& targets, std::size_t count, Duration limit);

  [[nodiscard]] std::size_t size() const { return connections_.size(); }
  [[nodiscard]] const std::string& error() const { return error_; }

 private:
  std::vector<Descriptor> connections_;
  std::string error_;
};

}  // namespace pilotfish::bench
