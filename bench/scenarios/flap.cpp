#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kGap = std::chrono::milliseconds(250);

class Flap final : public RegistryScenario {
 public:
  explicit Flap(Stage& stage)
      : RegistryScenario(stage, setup(stage.options)), random_(stage.options.seed) {}

 protected:
  void play(Scene& scene, const Turn& /*turn*/) override {
    const auto end = scene.begun() + options().duration;
    bool healthy = true;
    std::optional<std::size_t> last;
    while (Clock::now() + kGap < end) {
      // Never in step with somebody who asks once a second.
      const auto jitter = Duration(static_cast<Duration::rep>(
          random_.below(static_cast<std::uint64_t>(Duration(kGap).count()) / 5)));
      if (!scene.rest(kGap + jitter)) return;
      healthy = !healthy;
      last = turn_check(scene, 0, healthy);
    }
    if (last) scene.await(*last);
  }

 private:
  static Setup setup(const BenchOptions& options) {
    Setup setup;
    setup.versions.assign(options.instances, "v1");
    setup.at_first = options.instances;
    return setup;
  }

  Random random_;
};

}  // namespace

ScenarioInfo flap_scenario() {
  ScenarioInfo info;
  info.name = "flap";
  info.summary = "an instance's check fails and passes, four times a second: who keeps up";
  info.explanation =
      "The check of one instance fails and passes again every 250 to 300 ms; the instance\n"
      "itself serves all the while. change_to_first_request_ms after a pass,\n"
      "change_to_last_request_ms after a failure; changes_missed counts the passes after\n"
      "which it got no request before the next failure.";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.instances = 3;
  info.defaults.duration = std::chrono::seconds(5);
  info.defaults.rounds = 3;
  info.make = [](Stage& stage) { return std::make_unique<Flap>(stage); };
  return info;
}

}  // namespace pilotfish::bench
