#include <algorithm>
#include <fmt/core.h>
#include <thread>

#include "bench/harness/idle_crowd.hpp"
#include "bench/harness/usage.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/scenarios/scenarios.hpp"
#include "bench/scenarios/speed.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kUsual = 5000;
constexpr std::size_t kFirst = 100;  ///< what these need is part of being in use at all
constexpr auto kRest = std::chrono::milliseconds(500);
constexpr auto kLimit = std::chrono::seconds(60);

class Idle final : public SpeedScenario {
 public:
  explicit Idle(Stage& stage)
      : SpeedScenario(stage, FarmOptions::Kind::kHttp),
        count_(stage.options.connections != 0 ? stage.options.connections : kUsual) {}

  [[nodiscard]] std::vector<std::string> cases() const override {
    return {fmt::format("{} idle connections", count_)};
  }
  [[nodiscard]] bool takes_part(const Turn& turn) const override {
    return turn.contender != "direct" && turn.round != 0;
  }
  [[nodiscard]] Duration expected(const Turn&) const override {
    return 3 * kRest + std::chrono::microseconds(150) * count_;
  }

  Measurement measure(const Turn& turn) override {
    // What a process has freed it often keeps: each turn begins with a new one.
    auto& contender = world_.lineup().restart(turn.contender);
    Measurement measurement;
    std::this_thread::sleep_for(kRest);
    const auto at_rest = memory(contender);
    const IdleCrowd first(contender.targets(), kFirst, kLimit);
    check(contender, first);
    std::this_thread::sleep_for(kRest);
    const auto before = memory(contender);
    const IdleCrowd crowd(contender.targets(), count_, kLimit);
    if (interrupted()) return measurement;
    check(contender, crowd);
    std::this_thread::sleep_for(kRest);
    const auto after = memory(contender);
    const auto grown = after.anonymous - std::min(before.anonymous, after.anonymous);
    measurement.figures["rss_bytes"] = static_cast<double>(at_rest.resident);
    measurement.figures["rss_peak_bytes"] = static_cast<double>(after.resident);
    measurement.figures["memory_per_connection_bytes"] =
        static_cast<double>(grown) / static_cast<double>(count_);
    measurement.figures["failed"] = 0;
    return measurement;
  }

 private:
  static MemoryUse memory(Contender& contender) {
    contender.must_run();
    const auto use = tree_memory(*contender.pid());
    if (!use) throw Unavailable("/proc/PID/smaps_rollup of " + contender.name() + " is not there");
    return *use;
  }

  static void check(Contender& contender, const IdleCrowd& crowd) {
    if (crowd.error().empty()) return;
    contender.must_run();
    throw Unavailable(
        fmt::format("{}: after {} connections: {} (are there enough descriptors? "
                    "see ulimit -n)",
                    contender.name(), crowd.size(), crowd.error()));
  }

  const std::size_t count_;
};

}  // namespace

ScenarioInfo idle_scenario() {
  ScenarioInfo info;
  info.name = "idle";
  info.summary = "idle kept connections: memory for each, memory at rest";
  info.explanation =
      "5000 connections (or --connections) make one request each and then keep quiet: how much\n"
      "memory of its own (heap and stacks) the proxy has grown by, for each of them, beyond what "
      "the\n"
      "first 100 took; and how much is resident at rest. Each round starts the proxy anew.";
  info.defaults.against = {"haproxy", "nginx", "envoy"};
  info.defaults.rounds = 3;
  info.make = [](Stage& stage) { return std::make_unique<Idle>(stage); };
  return info;
}

}  // namespace pilotfish::bench
