#include <algorithm>
#include <memory>
#include <utility>

#include "balancer/picker.hpp"

namespace pilotfish::balancer {

namespace {

constexpr std::uint32_t kTableSize = 65537;  // prime, so that every skip visits every slot

/// The table of Maglev (Eisenbud and others, NSDI 2016, section 3.4): instances take turns to claim
/// the next free slot of their own permutation, more turns for more weight. More even than a ring
/// and found in one step; when an instance leaves, a few other keys move too.
class MaglevPicker final : public Picker {
 public:
  explicit MaglevPicker(Candidates candidates) : candidates_(std::move(candidates)) {
    if (!candidates_.empty()) {
      fill();
    }
  }

  InstanceState* pick(const PickContext& context, Random& /*random*/) override {
    if (table_.empty()) {
      return nullptr;
    }
    auto slot = static_cast<std::uint32_t>(((mix_bits(context.hash) >> 32U) * kTableSize) >> 32U);
    auto* state = candidates_[table_[slot]].state;
    if (context.tried.empty() || !is_tried(context.tried, state)) {
      return state;
    }
    for (std::uint32_t i = 1; i < kTableSize; ++i) {
      slot = slot + 1 == kTableSize ? 0 : slot + 1;
      state = candidates_[table_[slot]].state;
      if (!is_tried(context.tried, state)) {
        return state;
      }
    }
    // What weighs less than half a slot has none, but may be all that is left.
    const auto untried = std::ranges::find_if(
        candidates_, [&](const Candidate& each) { return !is_tried(context.tried, each.state); });
    return untried == candidates_.end() ? nullptr : untried->state;
  }

 private:
  struct Claim {
    std::uint32_t slot;  ///< next of its permutation
    std::uint32_t skip;
    double due;  ///< of the rounds: a turn each 1 / (share of the heaviest)
    double every;
  };

  void fill() {
    constexpr std::uint32_t kFree = UINT32_MAX;
    table_.assign(kTableSize, kFree);
    const auto heaviest = std::ranges::max(candidates_, {}, &Candidate::weight).weight;
    std::vector<Claim> claims;
    claims.reserve(candidates_.size());
    for (const auto& each : candidates_) {
      const auto seed = std::hash<Endpoint>{}(each.state->endpoint);
      const auto every = static_cast<double>(heaviest) / each.weight;
      claims.push_back({static_cast<std::uint32_t>(mix_bits(seed) % kTableSize),
                        static_cast<std::uint32_t>(mix_bits(~seed) % (kTableSize - 1) + 1),
                        (every - 1) / 2, every});
    }
    std::uint32_t filled = 0;
    for (double round = 0; filled < kTableSize; ++round) {
      for (std::uint32_t i = 0; i < claims.size() && filled < kTableSize; ++i) {
        auto& claim = claims[i];
        if (claim.due > round) {
          continue;
        }
        claim.due += claim.every;
        while (table_[claim.slot] != kFree) {
          claim.slot = (claim.slot + claim.skip) % kTableSize;
        }
        table_[claim.slot] = i;
        ++filled;
      }
    }
  }

  Candidates candidates_;
  std::vector<std::uint32_t> table_;
};

}  // namespace

std::unique_ptr<Picker> make_maglev(Candidates candidates) {
  return std::make_unique<MaglevPicker>(std::move(candidates));
}

}  // namespace pilotfish::balancer
