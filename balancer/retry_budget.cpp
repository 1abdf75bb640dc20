#include <algorithm>
#include <numeric>

#include "balancer/retry.hpp"

namespace pilotfish::balancer {

void RetryBudget::advance(TimePoint now) {
  const auto second = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch()).count();
  if (second <= second_) {
    return;
  }
  const auto passed = std::min<std::int64_t>(second - second_, kBuckets);
  for (std::int64_t i = 0; i < passed; ++i) {
    const auto bucket = static_cast<std::size_t>(second - i) % kBuckets;
    requests_[bucket] = 0;
    retries_[bucket] = 0;
  }
  second_ = second;
}

void RetryBudget::on_request(TimePoint now) {
  advance(now);
  ++requests_[static_cast<std::size_t>(second_) % kBuckets];
}

bool RetryBudget::try_spend(TimePoint now) {
  advance(now);
  constexpr std::uint32_t kAlwaysPerSecond = 3;
  auto& this_second = retries_[static_cast<std::size_t>(second_) % kBuckets];
  const auto requests = std::accumulate(requests_.begin(), requests_.end(), std::uint64_t{0});
  const auto retries = std::accumulate(retries_.begin(), retries_.end(), std::uint64_t{0});
  if (this_second >= kAlwaysPerSecond && (retries + 1) * 100 > requests * percent_) {
    return false;
  }
  ++this_second;
  return true;
}

}  // namespace pilotfish::balancer
