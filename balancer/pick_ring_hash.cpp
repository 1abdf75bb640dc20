#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>
#include <utility>

#include "balancer/picker.hpp"

namespace pilotfish::balancer {

namespace {

constexpr std::size_t kPointsPerInstance = 128;    // on average
constexpr std::size_t kMostPoints = 256UL * 1024;  // more instances get fewer points each

double floor_to_power_of_two(double value) {
  double power = 1;
  while (power > value) {
    power /= 2;
  }
  while (power * 2 <= value) {
    power *= 2;
  }
  return power;
}

/// Points of every instance on a ring, in proportion to its weight (at least one), found
/// through an index of the leading bits; the key belongs to the next point. How many points a unit
/// of weight gets goes in steps of two, so that it stays the same when an instance leaves, and only
/// its own keys move.
class Ring final : public PickIndex {
 public:
  struct Point {
    std::uint64_t at;
    std::uint32_t index;
  };

  explicit Ring(std::span<const Share> shares) {
    const auto count = shares.size();
    if (count == 0) {
      return;
    }
    double total = 0;
    for (const auto& each : shares) {
      total += each.weight;
    }
    const auto average =
        std::min(kPointsPerInstance, std::max<std::size_t>(kMostPoints / count, 1));
    const double per_unit = floor_to_power_of_two(static_cast<double>(std::bit_floor(average)) *
                                                  static_cast<double>(count) / total);
    std::vector<Point> points;
    for (std::uint32_t i = 0; i < count; ++i) {
      const auto copies = std::max<std::uint64_t>(
          static_cast<std::uint64_t>(std::llround(per_unit * shares[i].weight)), 1);
      const auto seed = std::hash<Endpoint>{}(*shares[i].endpoint);
      for (std::uint64_t k = 0; k < copies; ++k) {
        points.push_back({mix_bits(mix_bits(seed) + k * 0x9e3779b97f4a7c15ULL), i});
      }
    }
    arrange(points);
  }

  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  /// Place of the first point at or after `key`; one past the last where there is none.
  [[nodiscard]] std::size_t find(std::uint64_t key) const {
    std::size_t place = starts_[key >> shift_];
    while (place < points_.size() && points_[place].at < key) {
      ++place;
    }
    return place;
  }

 private:
  /// Sorts, and notes where each range of keys begins: about one point per range, so that points
  /// are in order once they are in their range, but for a swap or two, and a search is a step or
  /// two.
  void arrange(const std::vector<Point>& points) {
    const auto ranges = std::bit_ceil(std::max<std::size_t>(points.size(), 2));
    shift_ = 64U - static_cast<unsigned>(std::countr_zero(ranges));
    starts_.assign(ranges + 1, 0);
    for (const auto& point : points) {
      ++starts_[(point.at >> shift_) + 1];
    }
    for (std::size_t range = 1; range <= ranges; ++range) {
      starts_[range] += starts_[range - 1];
    }
    points_.resize(points.size());
    auto next = starts_;
    for (const auto& point : points) {
      points_[next[point.at >> shift_]++] = point;
    }
    const auto before = [](const Point& a, const Point& b) {
      return a.at != b.at ? a.at < b.at : a.index < b.index;
    };
    for (std::size_t range = 0; range < ranges; ++range) {
      if (starts_[range + 1] - starts_[range] > 1) {
        std::sort(points_.begin() + starts_[range], points_.begin() + starts_[range + 1], before);
      }
    }
  }

  std::vector<Point> points_;
  std::vector<std::uint32_t> starts_;  ///< first point at or after the beginning of each range
  unsigned shift_ = 0;
};

class RingHashPicker final : public Picker {
 public:
  RingHashPicker(Candidates candidates, std::shared_ptr<const Ring> ring)
      : candidates_(std::move(candidates)), ring_(std::move(ring)) {}

  InstanceState* pick(const PickContext& context, Random& /*random*/) override {
    const auto& points = ring_->points();
    if (points.empty()) {
      return nullptr;
    }
    auto place = ring_->find(mix_bits(context.hash));
    const bool any = plain(context);
    for (std::size_t i = 0; i < points.size(); ++i, ++place) {
      place = place >= points.size() ? 0 : place;
      auto* state = candidates_[points[place].index].state;
      if (any || allowed(context, *state)) {
        return state;
      }
    }
    return nullptr;
  }

 private:
  Candidates candidates_;
  std::shared_ptr<const Ring> ring_;
};

}  // namespace

PickIndexPtr make_ring_hash_index(std::span<const Share> shares) {
  return std::make_shared<Ring>(shares);
}

std::unique_ptr<Picker> make_ring_hash(Candidates candidates, const PickIndexPtr& index) {
  return std::make_unique<RingHashPicker>(std::move(candidates),
                                          std::static_pointer_cast<const Ring>(index));
}

}  // namespace pilotfish::balancer
