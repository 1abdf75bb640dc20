#include <algorithm>
#include <memory>
#include <utility>

#include "balancer/picker.hpp"

namespace pilotfish::balancer {

namespace {

/// Equal weights: one after the other, from a random start.
class EqualRoundRobin final : public Picker {
 public:
  EqualRoundRobin(Candidates candidates, Random& random)
      : candidates_(std::move(candidates)), next_(random.below(candidates_.size())) {}

  InstanceState* pick(const PickContext& context, Random& /*random*/) override {
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      auto* state = candidates_[next_].state;
      next_ = next_ + 1 == candidates_.size() ? 0 : next_ + 1;
      if (context.tried.empty() || !is_tried(context.tried, state)) {
        return state;
      }
    }
    return nullptr;
  }

 private:
  Candidates candidates_;
  std::size_t next_;
};

/// Smooth weighted: every candidate is due once per 1/weight of virtual time, the earliest due goes
/// first (a heap, so log n per pick). Phases are random, so that a list that is rebuilt often, or
/// on many sidecars at once, does not favour the first ones.
class WeightedRoundRobin final : public Picker {
 public:
  WeightedRoundRobin(Candidates candidates, Random& random) : candidates_(std::move(candidates)) {
    turns_.reserve(candidates_.size());
    for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
      turns_.push_back({random.below(step(i)), i});
    }
    std::ranges::make_heap(turns_, later);
  }

  InstanceState* pick(const PickContext& context, Random& /*random*/) override {
    if (context.tried.empty() && !turns_.empty()) {
      return take();
    }
    const auto untried = [&](const Candidate& each) {
      return !is_tried(context.tried, each.state);
    };
    if (std::ranges::none_of(candidates_, untried)) {
      return nullptr;
    }
    // A tried one that is due loses its turn.
    while (true) {
      if (auto* state = take(); !is_tried(context.tried, state)) {
        return state;
      }
    }
  }

 private:
  struct Turn {
    std::uint64_t due;
    std::uint32_t index;
  };
  static bool later(const Turn& a, const Turn& b) {
    // All are within one largest step of each other, so the difference survives wrapping.
    const auto apart = static_cast<std::int64_t>(a.due - b.due);
    return apart != 0 ? apart > 0 : a.index > b.index;
  }
  [[nodiscard]] std::uint64_t step(std::uint32_t index) const {
    return (std::uint64_t{1} << 44U) / candidates_[index].weight;
  }
  InstanceState* take() {
    const auto turn = turns_.front();
    sink({turn.due + step(turn.index), turn.index});
    return candidates_[turn.index].state;
  }
  /// Replaces the top and lets it sink to its place.
  void sink(Turn turn) {
    std::size_t place = 0;
    for (;;) {
      auto child = 2 * place + 1;
      if (child >= turns_.size()) {
        break;
      }
      if (child + 1 < turns_.size() && later(turns_[child], turns_[child + 1])) {
        ++child;
      }
      if (!later(turn, turns_[child])) {
        break;
      }
      turns_[place] = turns_[child];
      place = child;
    }
    turns_[place] = turn;
  }

  Candidates candidates_;
  std::vector<Turn> turns_;
};

}  // namespace

std::unique_ptr<Picker> make_round_robin(Candidates candidates, Random& random) {
  const auto differs = [&](const Candidate& each) {
    return each.weight != candidates.front().weight;
  };
  if (std::ranges::none_of(candidates, differs)) {
    return std::make_unique<EqualRoundRobin>(std::move(candidates), random);
  }
  return std::make_unique<WeightedRoundRobin>(std::move(candidates), random);
}

}  // namespace pilotfish::balancer
