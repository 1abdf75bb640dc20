#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr const char* kSilent = "silent";
constexpr const char* kGone = "gone";

double microseconds_of(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

class RegistryOutage final : public RegistryScenario {
 public:
  explicit RegistryOutage(Stage& stage) : RegistryScenario(stage, setup(stage.options)) {}

  [[nodiscard]] std::vector<std::string> cases() const override { return {kSilent, kGone}; }

 protected:
  [[nodiscard]] Duration length() const override {
    return options().duration + std::chrono::seconds(2);
  }
  void play(Scene& scene, const Turn& turn) override {
    const auto part = options().duration / 5;
    if (!scene.rest(part)) return;
    out_since_ = Clock::now();
    scene.mark("registry " + turn.test_case);
    registry().begin_outage(turn.test_case == kSilent ? Outage::kSilent : Outage::kGone);
    scene.rest(3 * part);
    out_until_ = Clock::now();
    scene.mark("registry comes back");
    registry().end_outage();
    scene.mark("registry is back");
    scene.await(join(scene, options().instances));
    scene.rest(part);
  }

  void add_figures(const Scene& scene, const Turn& /*turn*/, Measurement& measurement) override {
    std::vector<double> before;
    std::vector<double> during;
    for (const auto& completion : scene.completions()) {
      const double took = microseconds_of(completion.done - completion.planned);
      if (completion.planned < scene.begun()) continue;
      if (completion.planned < out_since_) before.push_back(took);
      if (completion.planned >= out_since_ && completion.planned < out_until_) {
        during.push_back(took);
      }
    }
    auto& figures = measurement.figures;
    figures["before_p50_us"] = quantile(before, 0.5);
    figures["before_p99_us"] = quantile(before, 0.99);
    figures["outage_p50_us"] = quantile(during, 0.5);
    figures["outage_p99_us"] = quantile(during, 0.99);
    figures["outage_max_us"] = quantile(during, 1);
  }

 private:
  static Setup setup(const BenchOptions& options) {
    Setup setup;
    setup.versions.assign(options.instances + 1, "v1");
    setup.at_first = options.instances;
    return setup;
  }

  TimePoint out_since_;
  TimePoint out_until_;
};

}  // namespace

ScenarioInfo outage_scenario() {
  ScenarioInfo info;
  info.name = "registry-outage";
  info.summary = "the registry is silent, or gone, under traffic: what do requests feel of it";
  info.explanation =
      "For three fifths of --duration the registry answers nothing (silent: it is stopped;\n"
      "gone: killed, its ports closed); then it is back with the same content, and one more\n"
      "instance is registered. outage_*_us: latency of the requests that were due\n"
      "meanwhile, before_*_us: of those before; change_to_*_ms: how soon the new instance\n"
      "is seen and used.";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.instances = 3;
  info.defaults.duration = std::chrono::seconds(5);
  info.defaults.rounds = 2;
  info.make = [](Stage& stage) { return std::make_unique<RegistryOutage>(stage); };
  return info;
}

}  // namespace pilotfish::bench
