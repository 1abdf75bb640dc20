#include "balancer/split.hpp"

namespace pilotfish::balancer {

void Split::set_shares(std::span<const std::uint32_t> permille) {
  constexpr std::uint64_t kOne = UINT64_MAX / 1000;  // a thousandth of the circle
  ends_.clear();
  std::uint32_t sum = 0;
  for (std::size_t tier = 0; tier < permille.size(); ++tier) {
    if (permille[tier] > 0) {
      sum += permille[tier];
      ends_.push_back({sum * kOne, sum >= 1000, tier});
    }
  }
}

}  // namespace pilotfish::balancer
