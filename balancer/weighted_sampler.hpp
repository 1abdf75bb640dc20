#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "balancer/picker.hpp"
#include "core/random.hpp"

namespace pilotfish::balancer {

/// Vose's alias method, 32 bits of resolution per column; equal weights need no table. Immutable.
class WeightedColumns final : public PickIndex {
 public:
  explicit WeightedColumns(std::span<const Share> shares);

  struct Column {
    std::uint32_t keep = UINT32_MAX;  ///< below this (of 2^32) the column itself is drawn
    std::uint32_t other = 0;
  };
  [[nodiscard]] std::span<const Column> columns() const { return columns_; }

 private:
  std::vector<Column> columns_;  ///< none: all weights are equal
};
[[nodiscard]] PickIndexPtr make_columns(std::span<const Share> shares);

/// Draws candidates with a chance in proportion to their weight, in constant time. Pure.
class WeightedSampler {
 public:
  WeightedSampler(Candidates candidates, const PickIndexPtr& index)
      : candidates_(std::move(candidates)),
        index_(std::static_pointer_cast<const WeightedColumns>(index)),
        columns_(index_->columns()) {}

  [[nodiscard]] const Candidates& candidates() const { return candidates_; }
  [[nodiscard]] bool uniform() const { return columns_.empty(); }
  [[nodiscard]] std::size_t size() const { return candidates_.size(); }

  /// Index of a candidate. Requires size() > 0.
  [[nodiscard]] std::size_t draw(Random& random) const {
    const auto bits = random.next();
    const auto column = static_cast<std::size_t>(((bits >> 32U) * candidates_.size()) >> 32U);
    if (columns_.empty()) {
      return column;
    }
    // Chosen without a branch, which would be guessed wrong half of the time.
    const auto& place = columns_[column];
    const bool keeps = static_cast<std::uint32_t>(bits) < place.keep;
    return place.other + (column - place.other) * static_cast<std::size_t>(keeps);
  }

  /// The same among those that `admitted(state)` at the time of the draw; where luck runs out,
  /// among all that are `allowed(state)`. Empty where none is.
  template <typename Admitted, typename Allowed>
  [[nodiscard]] std::optional<std::size_t> draw_among(Random& random, Admitted&& admitted,
                                                      Allowed&& allowed) const {
    constexpr int kDraws = 16;  // in vain once in 65,536 where half may be drawn
    for (int i = 0; i < kDraws && !candidates_.empty(); ++i) {
      if (const auto index = draw(random); admitted(*candidates_[index].state)) {
        return index;
      }
    }
    return count_among(random, std::forward<Allowed>(allowed));
  }

 private:
  /// Luck has run out, so count: still by weight, over what is left.
  template <typename Allowed>
  [[nodiscard]] std::optional<std::size_t> count_among(Random& random, Allowed&& allowed) const {
    std::uint64_t left = 0;
    for (const auto& each : candidates_) {
      left += allowed(*each.state) ? each.weight : 0;
    }
    if (left == 0) {
      return std::nullopt;
    }
    auto point = random.below(left);
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!allowed(*candidates_[i].state)) {
        continue;
      }
      if (point < candidates_[i].weight) {
        return i;
      }
      point -= candidates_[i].weight;
    }
    return std::nullopt;
  }

  Candidates candidates_;
  std::shared_ptr<const WeightedColumns> index_;
  std::span<const WeightedColumns::Column> columns_;
};

}  // namespace pilotfish::balancer
