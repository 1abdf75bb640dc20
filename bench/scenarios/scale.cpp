#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kMore = 4;  // instances that come or go in a turn

class Scale final : public RegistryScenario {
 public:
  Scale(Stage& stage, bool up) : RegistryScenario(stage, setup(stage.options, up)), up_(up) {}

 protected:
  void play(Scene& scene, const Turn& /*turn*/) override {
    const auto least = options().instances;
    const auto gap = options().duration / (kMore + 1);
    for (std::size_t i = 0; i < kMore; ++i) {
      if (!scene.rest_until(scene.begun() + gap * static_cast<Duration::rep>(i + 1))) return;
      const auto change = up_ ? join(scene, least + i) : leave(scene, least + kMore - 1 - i);
      scene.await(change);
    }
    scene.rest_until(scene.begun() + options().duration);
  }

 private:
  static Setup setup(const BenchOptions& options, bool up) {
    Setup setup;
    setup.versions.assign(options.instances + kMore, "v1");
    setup.at_first = up ? options.instances : options.instances + kMore;
    return setup;
  }

  const bool up_;
};

BenchDefaults defaults() {
  BenchDefaults defaults;
  defaults.against = {"haproxy", "nginx", "envoy"};
  defaults.instances = 3;
  defaults.duration = std::chrono::seconds(5);
  defaults.rounds = 3;
  return defaults;
}

}  // namespace

ScenarioInfo scale_up_scenario() {
  return {"scale-up", "new instances are registered: how soon does each get its first request",
          "Four more instances than --instances are registered one after the other within\n"
          "--duration. change_to_*_ms count from the moment before the registry is told: to its\n"
          "yes (accepted), to the first answer that has the instance, to the sidecar's\n"
          "snapshot, and to the first request that arrives at it.",
          defaults(), [](Stage& stage) { return std::make_unique<Scale>(stage, true); }};
}

ScenarioInfo scale_down_scenario() {
  return {"scale-down", "instances are deregistered: how long do they still get requests",
          "Four instances beyond --instances are deregistered one after the other within\n"
          "--duration; they go on serving, so that every late request is seen.\n"
          "change_to_last_request_ms is the last one that arrived, 0 where none did.",
          defaults(), [](Stage& stage) { return std::make_unique<Scale>(stage, false); }};
}

}  // namespace pilotfish::bench
