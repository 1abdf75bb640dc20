#include "bench/scenarios/scenarios.hpp"
#include "bench/scenarios/speed.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kAtOnce = 32;

class Connections final : public SpeedScenario {
 public:
  explicit Connections(Stage& stage) : SpeedScenario(stage, FarmOptions::Kind::kHttp) {}

  Measurement measure(const Turn& turn) override {
    const auto& options = stage_.options;
    DriveOptions load;
    load.new_connections = true;
    load.connections = options.connections != 0 ? options.connections : kAtOnce;
    load.rate = options.rate;
    auto measurement = drive(turn, load);
    auto& figures = measurement.figures;
    auto rate = figures.extract("rate_per_s");
    figures["connections_per_s"] = rate.mapped();
    figures.erase("cpu_user_per_request_us");
    figures.erase("cpu_kernel_per_request_us");
    if (auto cpu = figures.extract("cpu_per_request_us")) {
      figures["cpu_per_connection_us"] = cpu.mapped();
    }
    return measurement;
  }
};

}  // namespace

ScenarioInfo connections_scenario() {
  ScenarioInfo info;
  info.name = "connections";
  info.summary = "a new connection per request: connections per second, CPU for each";
  info.explanation =
      "Every request of 100 bytes comes over a connection of its own, 32 at a time (or "
      "--connections,\n"
      "or at a --rate). With --fresh connection pilotfish asks the registry before each; the "
      "others\n"
      "have a static configuration and ask nobody. --registry consul makes that a real agent.";
  info.defaults.against = {"haproxy", "nginx", "direct"};
  info.make = [](Stage& stage) { return std::make_unique<Connections>(stage); };
  return info;
}

}  // namespace pilotfish::bench
