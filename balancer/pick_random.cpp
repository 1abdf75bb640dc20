#include <memory>

#include "balancer/weighted_sampler.hpp"

namespace pilotfish::balancer {

namespace {

/// By weight, blind to load.
class RandomPicker final : public Picker {
 public:
  explicit RandomPicker(Candidates candidates) : sampler_(std::move(candidates)) {}

  InstanceState* pick(const PickContext& context, Random& random) override {
    if (context.tried.empty() && sampler_.size() > 0) {
      return sampler_.candidates()[sampler_.draw(random)].state;
    }
    const auto index = sampler_.draw_untried(context.tried, random);
    return index ? sampler_.candidates()[*index].state : nullptr;
  }

 private:
  WeightedSampler sampler_;
};

}  // namespace

std::unique_ptr<Picker> make_random(Candidates candidates) {
  return std::make_unique<RandomPicker>(std::move(candidates));
}

}  // namespace pilotfish::balancer
