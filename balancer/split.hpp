#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace pilotfish::balancer {

/// Which request goes to which share of `split:`. Not chance but a sequence of low discrepancy
/// (multiples of the golden ratio, modulo one): after n requests each share is off by a few
/// requests (about the logarithm of n), and since it never repeats no rhythm of the application
/// meets the same share each time. Two with different seeds are at different places of it. Pure.
/// Thread-safety: none.
class Split {
 public:
  explicit Split(std::uint64_t seed) : place_(seed) {}

  /// Shares of 1000 per tier, at most 1000 together; the sequence goes on.
  void set_shares(std::span<const std::uint32_t> permille);
  [[nodiscard]] bool any() const { return !ends_.empty(); }

  static constexpr std::size_t kNone = SIZE_MAX;
  /// The tier that the next request belongs to; kNone where to no share. Never allocates.
  [[nodiscard]] std::size_t next() {
    constexpr std::uint64_t kGoldenRatio = 0x9e3779b97f4a7c15ULL;
    place_ += kGoldenRatio;
    for (const auto& end : ends_) {
      if (place_ < end.before || end.whole) {
        return end.tier;
      }
    }
    return kNone;
  }

 private:
  struct End {
    std::uint64_t before = 0;  ///< of the circle of 2^64; the one in front begins where it ends
    bool whole = false;        ///< all of the circle is given away
    std::size_t tier = 0;
  };
  std::vector<End> ends_;
  std::uint64_t place_;
};

}  // namespace pilotfish::balancer
