#include "bench/harness/dns_client.hpp"
#include "bench/scenarios/registry_scenario.hpp"
#include "bench/scenarios/stories.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::uint16_t kPlain = 0;
constexpr std::uint16_t kEdns = 4096;

class Trim final : public RegistryScenario {
 public:
  explicit Trim(Stage& stage) : RegistryScenario(stage, setup(stage.options)) {}

 protected:
  void play(Scene& scene, const Turn& /*turn*/) override {
    scene.rest_until(scene.begun() + options().duration);
  }

  void add_figures(const Scene& scene, const Turn& /*turn*/, Measurement& measurement) override {
    // What somebody gets who asks once, in each of the ways in which one can ask.
    DnsClient client(registry().dns());
    const auto name = registry().srv_name(kService);
    const auto limit = std::chrono::seconds(5);
    auto& figures = measurement.figures;
    const auto count = [&](const char* key, const std::optional<SrvAnswer>& answer) {
      if (answer) figures[key] = static_cast<double>(answer->ports.size());
    };
    count("answer_udp_instances", client.ask_udp(name, kPlain, limit));
    count("answer_edns_instances", client.ask_udp(name, kEdns, limit));
    count("answer_tcp_instances", client.ask_tcp(name, limit));
    if (const auto needed = scene.requests_until_all()) {
      figures["requests_until_all"] = static_cast<double>(needed);
    }
  }

 private:
  static Setup setup(const BenchOptions& options) {
    Setup setup;
    setup.versions.assign(options.instances, "v1");
    setup.at_first = options.instances;
    setup.rate = 1000;
    setup.bucket = std::chrono::milliseconds(500);
    setup.cold = true;
    return setup;
  }
};

}  // namespace

ScenarioInfo trim_scenario() {
  ScenarioInfo info;
  info.name = "trim";
  info.summary = "many instances, more than a DNS answer over UDP holds: how many get traffic";
  info.explanation =
      "--instances are registered and nothing changes. instances_reached: how many of them\n"
      "got a request within --duration; requests_until_all: after how many requests each\n"
      "had had one (absent where one had none; even a perfect choice at random takes about\n"
      "6 times as many as there are instances). answer_*_instances: how many one answer\n"
      "holds over UDP, over UDP with EDNS, and over TCP.";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.instances = 300;
  info.defaults.duration = std::chrono::seconds(5);
  info.defaults.rounds = 2;
  info.make = [](Stage& stage) { return std::make_unique<Trim>(stage); };
  return info;
}

}  // namespace pilotfish::bench
