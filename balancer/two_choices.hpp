#pragma once

#include <utility>

#include "balancer/weighted_sampler.hpp"

namespace pilotfish::balancer {

/// Draws two different candidates and takes the one that `Better` prefers (the first on a tie).
/// Both are drawn by weight: with uniform draws a heavy instance among n could never get more than
/// 2/n of the traffic, and an idle pair would always go to the heavier one.
///
/// `Better::prefers_second(first, second, context)` compares two candidates.
template <typename Better>
class TwoChoicesPicker final : public Picker {
 public:
  TwoChoicesPicker(Candidates candidates, const PickIndexPtr& index)
      : sampler_(std::move(candidates), index) {}

  InstanceState* pick(const PickContext& context, Random& random) override {
    const auto& all = sampler_.candidates();
    if (!plain(context) || all.size() < 2) {
      return pick_among(context, random);
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
      // Once more only: redrawing until they differ would favour the light ones. Among a few it
      // happens too often to be guessed, so that a draw in vain costs less than a branch.
      if (all.size() <= kFew) {
        const auto third = sampler_.draw(random);
        second = second == first ? third : second;
      } else if (second == first) {
        second = sampler_.draw(random);
      }
    }
    return choose(all[first], all[second], context);
  }

 private:
  static constexpr std::size_t kFew = 16;
  InstanceState* choose(const Candidate& first, const Candidate& second,
                        const PickContext& context) const {
    // An array instead of a branch: which of two it is cannot be guessed, and guessing costs more.
    InstanceState* const both[] = {first.state, second.state};
    return both[static_cast<std::size_t>(Better::prefers_second(first, second, context))];
  }

  InstanceState* pick_among(const PickContext& context, Random& random) const {
    const auto first = sampler_.draw_among(
        random, [&](const InstanceState& state) { return this->admitted(context, state, random); },
        [&](const InstanceState& state) { return this->allowed(context, state); });
    if (!first) {
      return nullptr;
    }
    const auto& candidate = sampler_.candidates()[*first];
    const auto second = sampler_.draw_among(
        random,
        [&](const InstanceState& state) {
          return &state != candidate.state && this->admitted(context, state, random);
        },
        [&](const InstanceState& state) {
          return &state != candidate.state && this->allowed(context, state);
        });
    return second ? choose(candidate, sampler_.candidates()[*second], context) : candidate.state;
  }

  WeightedSampler sampler_;
};

}  // namespace pilotfish::balancer
