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
class Table final : public PickIndex {
 public:
  explicit Table(std::span<const Share> shares) {
    if (!shares.empty()) {
      fill(shares);
    }
  }
  /// Places in the list, kTableSize of them; none where the list is empty.
  [[nodiscard]] const std::vector<std::uint32_t>& slots() const { return table_; }

 private:
  struct Claim {
    std::uint32_t slot;  ///< next of its permutation
    std::uint32_t skip;
    double due;  ///< of the rounds: a turn each 1 / (share of the heaviest)
    double every;
  };

  void fill(std::span<const Share> shares) {
    constexpr std::uint32_t kFree = UINT32_MAX;
    table_.assign(kTableSize, kFree);
    const auto heaviest = std::ranges::max(shares, {}, &Share::weight).weight;
    std::vector<Claim> claims;
    claims.reserve(shares.size());
    for (const auto& each : shares) {
      const auto seed = std::hash<Endpoint>{}(*each.endpoint);
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

  std::vector<std::uint32_t> table_;
};

class MaglevPicker final : public Picker {
 public:
  MaglevPicker(Candidates candidates, std::shared_ptr<const Table> table)
      : candidates_(std::move(candidates)), table_(std::move(table)), slots_(table_->slots()) {}

  InstanceState* pick(const PickContext& context, Random& /*random*/) override {
    if (slots_.empty()) {
      return nullptr;
    }
    auto slot = static_cast<std::uint32_t>(((mix_bits(context.hash) >> 32U) * kTableSize) >> 32U);
    auto* state = candidates_[slots_[slot]].state;
    if (plain(context) || allowed(context, *state)) {
      return state;
    }
    for (std::uint32_t i = 1; i < kTableSize; ++i) {
      slot = slot + 1 == kTableSize ? 0 : slot + 1;
      state = candidates_[slots_[slot]].state;
      if (allowed(context, *state)) {
        return state;
      }
    }
    // What weighs less than half a slot has none, but may be all that is left.
    const auto left = std::ranges::find_if(
        candidates_, [&](const Candidate& each) { return allowed(context, *each.state); });
    return left == candidates_.end() ? nullptr : left->state;
  }

 private:
  Candidates candidates_;
  std::shared_ptr<const Table> table_;
  std::span<const std::uint32_t> slots_;
};

}  // namespace

PickIndexPtr make_maglev_index(std::span<const Share> shares) {
  return std::make_shared<Table>(shares);
}

std::unique_ptr<Picker> make_maglev(Candidates candidates, const PickIndexPtr& index) {
  return std::make_unique<MaglevPicker>(std::move(candidates),
                                        std::static_pointer_cast<const Table>(index));
}

}  // namespace pilotfish::balancer
