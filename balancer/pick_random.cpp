#include <memory>

#include "balancer/weighted_sampler.hpp"

namespace pilotfish::balancer {

namespace {

/// By weight, blind to load.
class RandomPicker final : public Picker {
 public:
  RandomPicker(Candidates candidates, const PickIndexPtr& index)
      : sampler_(std::move(candidates), index) {}

  InstanceState* pick(const PickContext& context, Random& random) override {
    if (plain(context) && sampler_.size() > 0) {
      return sampler_.candidates()[sampler_.draw(random)].state;
    }
    const auto index = sampler_.draw_among(
        random, [&](const InstanceState& state) { return admitted(context, state, random); },
        [&](const InstanceState& state) { return allowed(context, state); });
    return index ? sampler_.candidates()[*index].state : nullptr;
  }

 private:
  WeightedSampler sampler_;
};

}  // namespace

std::unique_ptr<Picker> make_random(Candidates candidates, const PickIndexPtr& index) {
  return std::make_unique<RandomPicker>(std::move(candidates), index);
}

}  // namespace pilotfish::balancer
