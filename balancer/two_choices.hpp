#pragma once

#include <utility>

#include "balancer/weighted_sampler.hpp"

namespace pilotfish::balancer {

/// Draws two different candidates and takes the one that `Better` prefers (the first on a tie).
/// Both are drawn by weight: with uniform draws a heavy instance among n could never get more than
/// 2/n of the traffic, and an idle pair would always go to the heavier one.
///
/// `Better::prefers_second(first, second, now)` compares two candidates.
template <typename Better>
class TwoChoicesPicker final : public Picker {
 public:
  explicit TwoChoicesPicker(Candidates candidates) : sampler_(std::move(candidates)) {}

  InstanceState* pick(const PickContext& context, Random& random) override {
    const auto& all = sampler_.candidates();
    if (!context.tried.empty() || all.size() < 2) {
      return pick_untried(context, random);
    }
    std::size_t first = 0;
    std::size_t second = 0;
    if (sampler_.uniform()) {
      const auto bits = random.next();
      first = static_cast<std::size_t>(((bits >> 32U) * all.size()) >> 32U);
      second = static_cast<std::size_t>(((bits & 0xffffffffU) * (all.size() - 1)) >> 32U);
      second += second >= first ? 1 : 0;
    } else {
      first = sampler_.draw(random);
      second = sampler_.draw(random);
      if (second == first) {
        // Once more only: redrawing until they differ would favour the light ones.
        second = sampler_.draw(random);
      }
    }
    return choose(all[first], all[second], context.now);
  }

 private:
  InstanceState* choose(const Candidate& first, const Candidate& second, TimePoint now) const {
    return Better::prefers_second(first, second, now) ? second.state : first.state;
  }

  InstanceState* pick_untried(const PickContext& context, Random& random) const {
    const auto first = sampler_.draw_untried(context.tried, random);
    if (!first) {
      return nullptr;
    }
    const auto& candidate = sampler_.candidates()[*first];
    const auto second = sampler_.draw_untried(context.tried, random, candidate.state);
    return second ? choose(candidate, sampler_.candidates()[*second], context.now)
                  : candidate.state;
  }

  WeightedSampler sampler_;
};

}  // namespace pilotfish::balancer
