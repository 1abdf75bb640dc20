#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "balancer/tier_table.hpp"
#include "net/asio.hpp"
#include "resolver/background.hpp"

namespace pilotfish::proxy {

/// What all workers share for large answers: the thread beside them, and the tables made there.
/// Workers that hold equal answers share one table. Ownership: as resolver::Background.
class Preparer {
 public:
  [[nodiscard]] resolver::Background& background() { return background_; }

  /// What follows from `to` where `from` serves now; made beside the worker.
  [[nodiscard]] net::Awaitable<balancer::PreparedTierPtr> prepare(net::Executor executor,
                                                                  InstanceSet from, InstanceSet to,
                                                                  balancer::Algorithm algorithm);

 private:
  [[nodiscard]] balancer::TierTablePtr table(const InstanceSet& instances,
                                             balancer::Algorithm algorithm);

  std::vector<std::weak_ptr<const balancer::TierTable>> tables_;  ///< touched by jobs alone
  resolver::Background background_;  ///< ends first: its jobs use the above
};

}  // namespace pilotfish::proxy
