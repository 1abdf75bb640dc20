#pragma once

#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::bench {

struct BulkOptions {
  std::vector<Endpoint> targets;  ///< connections are spread over them in turn
  std::size_t connections = 4;
  bool upload = false;  ///< send instead of receive
};

struct BulkReport {
  std::uint64_t bytes = 0;
  std::uint64_t failed = 0;  ///< connections that ended; each is opened again
  Duration during{};
};

/// Connections that carry as many bytes as they can. Starts at once; a thread of its own, where the
/// thread that makes it may run. Thread-safety: none.
class BulkDrive {
 public:
  explicit BulkDrive(const BulkOptions& options);
  ~BulkDrive();
  BulkDrive(const BulkDrive&) = delete;
  BulkDrive& operator=(const BulkDrive&) = delete;

  /// Forgets what was counted.
  void reset();
  BulkReport stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
  std::thread thread_;
};

}  // namespace pilotfish::bench
