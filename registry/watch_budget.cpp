#include "registry/watch_budget.hpp"

#include <algorithm>

namespace pilotfish::registry {

bool WatchBudget::refused(std::size_t watched, TimePoint now) {
  if (watched == 0) {
    return false;
  }
  if (changed_ != TimePoint{} && now - changed_ < kOneRefusal) {
    return false;
  }
  changed_ = now;
  const auto before = limit_;
  limit_ = std::max<std::size_t>(1, std::min(limit_, watched) * 3 / 4);
  return limit_ < before;
}

bool WatchBudget::relax(TimePoint now) {
  if (limit_ == kMost || now - changed_ < kRaiseEvery) {
    return false;
  }
  changed_ = now;
  limit_ = std::min(kMost, limit_ + std::max<std::size_t>(1, limit_ / 10));
  return true;
}

}  // namespace pilotfish::registry
