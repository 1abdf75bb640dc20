#include "bench/scenarios/churn_plan.hpp"
#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr double kRate = 10;

class Churn final : public RegistryScenario {
 public:
  explicit Churn(Stage& stage) : RegistryScenario(stage, setup(stage.options)) {
    stage.result.options["churn_rate"] = "10 comings and goings per second";
  }

 protected:
  void play(Scene& scene, const Turn& turn) override {
    ChurnOptions churn;
    churn.instances = 2 * options().instances;
    churn.at_first = options().instances;
    churn.least = (options().instances + 1) / 2;
    churn.rate = kRate;
    churn.length = options().duration;
    churn.dwell = std::chrono::milliseconds(500);
    // The same for all contenders of a round, another one in each round.
    Random random(options().seed + static_cast<std::uint64_t>(turn.round));
    const auto plan = plan_churn(churn, random);
    const auto start = Clock::now();
    std::optional<std::size_t> last;
    for (const auto& step : plan) {
      if (!scene.rest_until(start + step.at)) return;
      last = step.comes ? join(scene, step.instance) : leave(scene, step.instance);
    }
    if (last) scene.await(*last);
  }

 private:
  static Setup setup(const BenchOptions& options) {
    Setup setup;
    setup.versions.assign(2 * options.instances, "v1");
    setup.at_first = options.instances;
    setup.rate = 500;
    setup.percentiles = true;
    return setup;
  }
};

}  // namespace

ScenarioInfo churn_scenario() {
  ScenarioInfo info;
  info.name = "churn";
  info.summary = "instances come and go ten times a second: percentiles of how late they are seen";
  info.explanation =
      "Of twice --instances between a half and all are registered at a time; ten times a\n"
      "second, at random moments by --seed, one comes or goes, and stays so for at least\n"
      "500 ms. One that left goes on serving, so that late requests are seen.\n"
      "change_to_*_p50_ms, _p99_ms and _max_ms over all comings and goings of a round;\n"
      "changes_missed: comings after which no request came.";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.instances = 6;
  info.defaults.duration = std::chrono::seconds(6);
  info.defaults.rounds = 3;
  info.make = [](Stage& stage) { return std::make_unique<Churn>(stage); };
  return info;
}

}  // namespace pilotfish::bench
