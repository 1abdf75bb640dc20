#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "balancer/picker.hpp"
#include "core/random.hpp"

namespace pilotfish::balancer {

/// Draws candidates with a chance in proportion to their weight, in constant time (Vose's alias
/// method, 32 bits of resolution per column; equal weights need no table). Pure.
class WeightedSampler {
 public:
  explicit WeightedSampler(std::vector<Candidate> candidates);

  [[nodiscard]] const std::vector<Candidate>& candidates() const { return candidates_; }
  [[nodiscard]] bool uniform() const { return columns_.empty(); }
  [[nodiscard]] std::size_t size() const { return candidates_.size(); }

  /// Index of a candidate. Requires size() > 0.
  [[nodiscard]] std::size_t draw(Random& random) const {
    const auto bits = random.next();
    const auto column = static_cast<std::size_t>(((bits >> 32U) * candidates_.size()) >> 32U);
    if (columns_.empty() || static_cast<std::uint32_t>(bits) < columns_[column].keep) {
      return column;
    }
    return columns_[column].other;
  }

  /// The same among those that are neither in `tried` nor `excluded`; empty where none is left.
  [[nodiscard]] std::optional<std::size_t> draw_untried(
      std::span<InstanceState* const> tried, Random& random,
      const InstanceState* excluded = nullptr) const;

 private:
  struct Column {
    std::uint32_t keep = UINT32_MAX;  ///< below this (of 2^32) the column itself is drawn
    std::uint32_t other = 0;
  };
  std::vector<Candidate> candidates_;
  std::vector<Column> columns_;
};

}  // namespace pilotfish::balancer
