#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kVictims = 3;  // of a turn, one after the other

class Kill final : public RegistryScenario {
 public:
  explicit Kill(Stage& stage) : RegistryScenario(stage, setup(stage.options)) {}

 protected:
  void play(Scene& scene, const Turn& /*turn*/) override {
    const auto pause = options().duration / static_cast<Duration::rep>(kVictims * 4);
    for (std::size_t i = 0; i < kVictims; ++i) {
      const auto victim = i % options().instances;
      if (!scene.rest(pause)) return;
      die(scene, victim);
      if (!scene.rest(2 * pause)) return;
      notice(scene, victim);
      if (!scene.rest(pause)) return;
      scene.mark(fleet().name(victim) + " runs again");
      fleet().revive(victim);
      scene.await(turn_check(scene, victim, true));
    }
  }

  void add_figures(const Scene& /*scene*/, const Turn& /*turn*/,
                   Measurement& measurement) override {
    // What was under way as it died has nothing to do with who chose it.
    measurement.figures.erase("death_to_last_request_ms");
    measurement.figures.erase("death_to_last_request_worst_ms");
    measurement.figures.erase("death_to_accepted_ms");
  }

 private:
  static Setup setup(const BenchOptions& options) {
    Setup setup;
    setup.versions.assign(options.instances, "v1");
    setup.at_first = options.instances;
    setup.static_too = true;
    return setup;
  }

  void die(Scene& scene, std::size_t victim) {
    RegistryChange death;
    death.label = "death";
    death.leaving = {fleet().port(victim)};
    scene.perform(std::move(death), fleet().name(victim) + " dies", [&] { fleet().kill(victim); });
  }

  /// The registry's own check has failed.
  void notice(Scene& scene, std::size_t victim) {
    RegistryChange drop;
    drop.label = "drop";
    drop.unlisted = {fleet().port(victim)};
    scene.perform(std::move(drop), fleet().name(victim) + " fails its check",
                  [&] { set_healthy(victim, false); });
  }
};

}  // namespace

ScenarioInfo kill_scenario() {
  ScenarioInfo info;
  info.name = "kill";
  info.summary = "instances die before the registry knows: does a request fail";
  info.explanation =
      "Three times in a turn an instance dies as from SIGKILL: connections reset, port\n"
      "closed. The registry notices a sixth of --duration later, and a twelfth after that\n"
      "the instance runs and passes its check again. death_to_snapshot_ms: until the\n"
      "sidecar left it out by itself; drop_to_answer_ms: until the registry's answer did;\n"
      "change_to_*_ms: from its return on. Who cannot follow a registry takes part with a\n"
      "static configuration.";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.instances = 4;
  info.defaults.duration = std::chrono::seconds(6);
  info.defaults.rounds = 3;
  info.make = [](Stage& stage) { return std::make_unique<Kill>(stage); };
  return info;
}

}  // namespace pilotfish::bench
