#include <numeric>

#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr int kTimes = 2;  // in a turn

class Fallback final : public RegistryScenario {
 public:
  explicit Fallback(Stage& stage) : RegistryScenario(stage, setup(stage.options)) {}

 protected:
  [[nodiscard]] Duration length() const override {
    return options().duration + kTimes * std::chrono::seconds(2);
  }
  void play(Scene& scene, const Turn& /*turn*/) override {
    const auto pause = options().duration / (kTimes * 3);
    for (int i = 0; i < kTimes; ++i) {
      if (!scene.rest(pause)) return;
      scene.await(turn_tier(scene, false));
      if (!scene.rest(pause)) return;
      scene.await(turn_tier(scene, true));
    }
    scene.rest(pause);
  }

 private:
  static Setup setup(const BenchOptions& options) {
    Setup setup;
    setup.versions.assign(options.instances, "v4");
    setup.versions.insert(setup.versions.end(), options.instances, "v3");
    setup.at_first = setup.versions.size();
    setup.tiers = true;
    setup.due.resize(options.instances);
    std::iota(setup.due.begin(), setup.due.end(), std::size_t{0});
    return setup;
  }

  /// All of v4 fails or passes; the change is the last of them when it fails (then the tier is
  /// empty), the first when it passes.
  std::size_t turn_tier(Scene& scene, bool healthy) {
    const auto count = options().instances;
    RegistryChange change;
    change.label = healthy ? "return" : "change";
    for (std::size_t i = 0; i < count; ++i) {
      (healthy ? change.joining : change.leaving).insert(fleet().port(i));
      (healthy ? change.leaving : change.joining).insert(fleet().port(count + i));
    }
    auto& in_answer = healthy ? change.listed : change.unlisted;
    in_answer = healthy ? change.joining : change.leaving;
    if (!healthy) {
      for (std::size_t i = 0; i + 1 < count; ++i) set_healthy(i, false);
    }
    return scene.perform(std::move(change),
                         healthy ? "all of v4 pass again" : "the last of v4 fails", [&] {
                           for (std::size_t i = healthy ? 0 : count - 1; i < count; ++i) {
                             set_healthy(i, healthy);
                           }
                         });
  }
};

}  // namespace

ScenarioInfo fallback_scenario() {
  ScenarioInfo info;
  info.name = "fallback";
  info.summary = "all of v4 fails, v3 takes over, v4 comes back: how soon, and what fails";
  info.explanation =
      "--instances of v4 are preferred to as many of v3. Twice in a turn the checks of all\n"
      "v4 fail and later pass again. change_to_*_ms count from the failure of the last v4:\n"
      "to the registry's answer without v4, to the snapshot that routes to v3, to the first\n"
      "request at v3 and to the last at v4. return_to_*_ms count from the pass of the first\n"
      "v4, and have the second of uninterrupted health in them for which pilotfish is set\n"
      "to wait (fail_back_after: 1s).";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.instances = 2;
  info.defaults.duration = std::chrono::seconds(5);
  info.defaults.rounds = 3;
  info.make = [](Stage& stage) { return std::make_unique<Fallback>(stage); };
  return info;
}

}  // namespace pilotfish::bench
