#include <algorithm>
#include <bit>
#include <memory>
#include <utility>

#include "balancer/picker.hpp"

namespace pilotfish::balancer {

namespace {

constexpr std::size_t kPointsPerInstance = 128;    // on average
constexpr std::size_t kMostPoints = 256UL * 1024;  // more instances get fewer points each

/// Points of every instance on a ring, in proportion to its weight (at least one), found
/// through an index of the leading bits; the key belongs to the next point. How many points a unit
/// of weight gets goes in steps of two, so that it stays the same when an instance leaves, and only
/// its own keys move.
class RingHashPicker final : public Picker {
 public:
  explicit RingHashPicker(Candidates candidates) : candidates_(std::move(candidates)) {
    const auto count = candidates_.size();
    if (count == 0) {
      return;
    }
    double total = 0;
    for (const auto& each : candidates_) {
      total += each.weight;
    }
    const auto average =
        std::min(kPointsPerInstance, std::max<std::size_t>(kMostPoints / count, 1));
    const double per_unit = floor_to_power_of_two(static_cast<double>(std::bit_floor(average)) *
                                                  static_cast<double>(count) / total);
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto points = std::max<std::uint64_t>(
          static_cast<std::uint64_t>(std::llround(per_unit * candidates_[i].weight)), 1);
      const auto seed = std::hash<Endpoint>{}(candidates_[i].state->endpoint);
      for (std::uint64_t k = 0; k < points; ++k) {
        ring_.push_back({mix_bits(mix_bits(seed) + k * 0x9e3779b97f4a7c15ULL), i});
      }
    }
    std::ranges::sort(ring_, [](const Point& a, const Point& b) {
      return a.at != b.at ? a.at < b.at : a.index < b.index;
    });
    build_index();
  }

  InstanceState* pick(const PickContext& context, Random& /*random*/) override {
    if (ring_.empty()) {
      return nullptr;
    }
    const auto key = mix_bits(context.hash);
    std::size_t place = starts_[key >> shift_];
    while (place < ring_.size() && ring_[place].at < key) {
      ++place;
    }
    for (std::size_t i = 0; i < ring_.size(); ++i, ++place) {
      place = place >= ring_.size() ? 0 : place;
      auto* state = candidates_[ring_[place].index].state;
      if (context.tried.empty() || !is_tried(context.tried, state)) {
        return state;
      }
    }
    return nullptr;
  }

 private:
  struct Point {
    std::uint64_t at;
    std::uint32_t index;
  };
  /// About one point per range of keys, so that the search is a step or two.
  void build_index() {
    const auto ranges = std::bit_ceil(std::max<std::size_t>(ring_.size(), 2));
    shift_ = 64U - static_cast<unsigned>(std::countr_zero(ranges));
    starts_.reserve(ranges);
    std::uint32_t point = 0;
    for (std::uint64_t range = 0; range < ranges; ++range) {
      while (point < ring_.size() && ring_[point].at < range << shift_) {
        ++point;
      }
      starts_.push_back(point);
    }
  }
  static double floor_to_power_of_two(double value) {
    double power = 1;
    while (power > value) {
      power /= 2;
    }
    while (power * 2 <= value) {
      power *= 2;
    }
    return power;
  }

  Candidates candidates_;
  std::vector<Point> ring_;
  std::vector<std::uint32_t> starts_;  ///< first point at or after the beginning of each range
  unsigned shift_ = 0;
};

}  // namespace

std::unique_ptr<Picker> make_ring_hash(Candidates candidates) {
  return std::make_unique<RingHashPicker>(std::move(candidates));
}

}  // namespace pilotfish::balancer
