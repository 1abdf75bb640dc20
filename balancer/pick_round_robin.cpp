#include <algorithm>
#include <memory>
#include <utility>

#include "balancer/picker.hpp"

namespace pilotfish::balancer {

namespace {

/// The candidates by weight: those of one weight stand together, in their own order.
struct Turns final : PickIndex {
  struct Class {
    std::uint32_t weight;
    std::uint32_t begin;  ///< of its places in `order`
    std::uint32_t end;
  };
  std::vector<std::uint32_t> order;  ///< places in the list of candidates
  std::vector<Class> classes;
};

/// Equal weights: one after the other, from a random start.
class EqualRoundRobin final : public Picker {
 public:
  EqualRoundRobin(Candidates candidates, Random& random)
      : candidates_(std::move(candidates)), next_(random.below(candidates_.size())) {}

  InstanceState* pick(const PickContext& context, Random& random) override {
    if (plain(context) && !candidates_.empty()) {
      return take();
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (auto* state = take(); admitted(context, *state, random)) {
        return state;
      }
    }
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (auto* state = take(); allowed(context, *state)) {
        return state;  // all that are left are new, and had no luck
      }
    }
    return nullptr;
  }

 private:
  InstanceState* take() {
    auto* state = candidates_[next_].state;
    next_ = next_ + 1 == candidates_.size() ? 0 : next_ + 1;
    return state;
  }
  Candidates candidates_;
  std::size_t next_;
};

/// Smooth weighted: every candidate is due once per 1/weight of virtual time, the earliest due goes
/// first. Candidates of one weight come around in a circle, evenly spaced; so only each weight's
/// next turn has to be compared with the others' (a heap, so log of the number of different weights
/// per pick). Where the circles begin is random, so that a list that is rebuilt often, or on many
/// sidecars at once, does not favour the first ones.
class WeightedRoundRobin final : public Picker {
 public:
  WeightedRoundRobin(Candidates candidates, std::shared_ptr<const Turns> turns, Random& random)
      : candidates_(std::move(candidates)), turns_(std::move(turns)) {
    circles_.reserve(turns_->classes.size());
    for (const auto& each : turns_->classes) {
      const std::uint32_t size = each.end - each.begin;
      const auto step = kRound / each.weight / size;
      const auto start = static_cast<std::uint32_t>(random.below(size));
      circles_.push_back({random.below(step), step, each.begin + start, each.begin, each.end});
    }
    std::ranges::make_heap(circles_, later);
  }

  InstanceState* pick(const PickContext& context, Random& random) override {
    if (plain(context)) {
      return take();
    }
    // One that is due but may not be picked loses its turn.
    constexpr int kAtOnce = 4;
    for (int i = 0; i < kAtOnce; ++i) {
      if (auto* state = take(); admitted(context, *state, random)) {
        return state;
      }
    }
    const auto could = [&](const Candidate& each) { return allowed(context, *each.state); };
    if (std::ranges::none_of(candidates_, could)) {
      return nullptr;
    }
    // A newcomer loses it not more often than this.
    for (std::size_t i = 0; i < 2 * candidates_.size(); ++i) {
      if (auto* state = take(); admitted(context, *state, random)) {
        return state;
      }
    }
    for (;;) {
      if (auto* state = take(); allowed(context, *state)) {
        return state;
      }
    }
  }

 private:
  /// 1/1 of virtual time. Large, so that dividing it rounds nothing that anybody could see.
  static constexpr std::uint64_t kRound = std::uint64_t{1} << 62U;
  struct Circle {
    std::uint64_t due;   ///< when its next candidate is
    std::uint64_t step;  ///< between its candidates
    std::uint32_t next;  ///< place in Turns::order
    std::uint32_t begin;
    std::uint32_t end;
  };
  static bool later(const Circle& a, const Circle& b) {
    // All are within one largest step of each other, so the difference survives wrapping.
    const auto apart = static_cast<std::int64_t>(a.due - b.due);
    return apart != 0 ? apart > 0 : a.begin > b.begin;
  }
  InstanceState* take() {
    auto circle = circles_.front();
    auto* state = candidates_[turns_->order[circle.next]].state;
    circle.due += circle.step;
    circle.next = circle.next + 1 == circle.end ? circle.begin : circle.next + 1;
    sink(circle);
    return state;
  }
  /// Replaces the top and lets it sink to its place.
  void sink(const Circle& circle) {
    std::size_t place = 0;
    for (;;) {
      auto child = 2 * place + 1;
      if (child >= circles_.size()) {
        break;
      }
      if (child + 1 < circles_.size() && later(circles_[child], circles_[child + 1])) {
        ++child;
      }
      if (!later(circle, circles_[child])) {
        break;
      }
      circles_[place] = circles_[child];
      place = child;
    }
    circles_[place] = circle;
  }

  Candidates candidates_;
  std::shared_ptr<const Turns> turns_;
  std::vector<Circle> circles_;
};

}  // namespace

PickIndexPtr make_round_robin_index(std::span<const Share> shares) {
  auto turns = std::make_shared<Turns>();
  const auto differs = [&](const Share& each) { return each.weight != shares.front().weight; };
  if (std::ranges::none_of(shares, differs)) {
    return turns;  // without classes: all are equal
  }
  turns->order.reserve(shares.size());
  for (std::uint32_t i = 0; i < shares.size(); ++i) {
    turns->order.push_back(i);
  }
  std::ranges::stable_sort(turns->order, {}, [&](std::uint32_t i) { return shares[i].weight; });
  for (std::uint32_t place = 0; place < turns->order.size(); ++place) {
    const auto weight = shares[turns->order[place]].weight;
    if (turns->classes.empty() || turns->classes.back().weight != weight) {
      turns->classes.push_back({weight, place, place});
    }
    ++turns->classes.back().end;
  }
  return turns;
}

std::unique_ptr<Picker> make_round_robin(Candidates candidates, const PickIndexPtr& index,
                                         Random& random) {
  auto turns = std::static_pointer_cast<const Turns>(index);
  if (turns->classes.empty()) {
    return std::make_unique<EqualRoundRobin>(std::move(candidates), random);
  }
  return std::make_unique<WeightedRoundRobin>(std::move(candidates), std::move(turns), random);
}

}  // namespace pilotfish::balancer
