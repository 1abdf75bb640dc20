#include <cmath>
#include <fmt/core.h>

#include "bench/scenarios/scenarios.hpp"
#include "bench/scenarios/speed.hpp"

namespace pilotfish::bench {
namespace {

constexpr const char* kHalf = "half of saturation";
constexpr std::size_t kFew = 64;
constexpr std::size_t kMany = 256;

std::string case_of(std::size_t connections) {
  return fmt::format("{} connections", connections);
}

class Steady final : public SpeedScenario {
 public:
  explicit Steady(Stage& stage)
      : SpeedScenario(stage, FarmOptions::Kind::kHttp), rate_(stage.options.rate) {}

  [[nodiscard]] std::vector<std::string> cases() const override {
    const auto& options = stage_.options;
    if (options.rate > 0) return {rate_case()};
    if (options.connections != 0) return {case_of(options.connections), kHalf};
    return {case_of(kFew), case_of(kMany), kHalf};
  }

  Measurement measure(const Turn& turn) override {
    DriveOptions load;
    if (turn.test_case == kHalf || turn.test_case == rate_case()) {
      load.connections = kMany;
      load.rate = the_rate();
      return drive(turn, load);
    }
    for (const auto count : {kFew, kMany, stage_.options.connections}) {
      if (turn.test_case == case_of(count)) load.connections = count;
    }
    auto measurement = drive(turn, load);
    const double rate = measurement.figures["rate_per_s"];
    if (turn.round == 0 && turn.contender != "direct" && (slowest_ == 0 || rate < slowest_)) {
      slowest_ = rate;
    }
    return measurement;
  }

 private:
  [[nodiscard]] std::string rate_case() const {
    return fmt::format("{:.0f} requests/s", stage_.options.rate);
  }

  /// The same for all, so that latencies can be compared; two digits, so that it can be said.
  double the_rate() {
    if (rate_ == 0) {
      const double half = std::max(slowest_ / 2, 10.0);
      const double unit = std::pow(10.0, std::floor(std::log10(half)) - 1);
      rate_ = std::floor(half / unit) * unit;
      stage_.result.notes.push_back(fmt::format(
          "{}: {:.0f} requests/s, half of what the slowest contender reached", kHalf, rate_));
    }
    return rate_;
  }

  double rate_;
  double slowest_ = 0;
};

}  // namespace

ScenarioInfo steady_scenario() {
  ScenarioInfo info;
  info.name = "steady";
  info.summary = "requests over kept connections: CPU per request, latency added";
  info.explanation =
      "Requests for 100 bytes over connections that stay. First at saturation, with 64 and with "
      "256\n"
      "connections (or --connections): what the proxy's CPU time is per request, and how many\n"
      "requests a second that makes. Then at half of the slowest contender's rate (or at --rate\n"
      "alone), each request due at its own moment and its latency counted from then: what the "
      "proxy\n"
      "adds to the latency of the same load straight to the instances.";
  info.make = [](Stage& stage) { return std::make_unique<Steady>(stage); };
  return info;
}

}  // namespace pilotfish::bench
