#include "proxy/preparer.hpp"

#include <utility>

namespace pilotfish::proxy {

using balancer::PreparedTier;
using balancer::PreparedTierPtr;
using balancer::TierDiff;
using balancer::TierTable;
using balancer::TierTablePtr;

TierTablePtr Preparer::table(const InstanceSet& instances, balancer::Algorithm algorithm) {
  if (instances.size() < kLargeAnswer) {
    return nullptr;
  }
  std::erase_if(tables_, [](const auto& entry) { return entry.expired(); });
  for (const auto& entry : tables_) {
    if (auto known = entry.lock();
        known && known->algorithm == algorithm && known->instances == instances) {
      return known;
    }
  }
  auto made = background_.offload().keep(TierTable(instances, algorithm));
  tables_.push_back(made);
  return made;
}

net::Awaitable<PreparedTierPtr> Preparer::prepare(net::Executor executor, InstanceSet from,
                                                  InstanceSet to, balancer::Algorithm algorithm) {
  auto job = [this, from = std::move(from), to = std::move(to), algorithm] {
    PreparedTier made{to, table(to, algorithm), TierDiff(from, to)};
    return background_.offload().keep(std::move(made));
  };
  auto made = co_await background_.offload().run(executor, std::move(job));
  co_return made;
}

}  // namespace pilotfish::proxy
