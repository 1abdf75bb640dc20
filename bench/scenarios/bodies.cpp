#include <array>
#include <string_view>

#include "bench/scenarios/scenarios.hpp"
#include "bench/scenarios/speed.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kKiB = 1024;
constexpr std::size_t kMiB = 1024 * kKiB;
constexpr std::size_t kAtOnce = 16;

struct BodyCase {
  const char* name;
  std::size_t answer;
  std::size_t upload;
};
constexpr std::array<BodyCase, 3> kCases = {
    {{"64 KiB answers", 64 * kKiB, 0}, {"1 MiB answers", kMiB, 0}, {"1 MiB uploads", 100, kMiB}}};

class Bodies final : public SpeedScenario {
 public:
  explicit Bodies(Stage& stage) : SpeedScenario(stage, FarmOptions::Kind::kHttp) {}

  [[nodiscard]] std::vector<std::string> cases() const override {
    std::vector<std::string> names;
    for (const auto& one : kCases) names.emplace_back(one.name);
    return names;
  }

  Measurement measure(const Turn& turn) override {
    DriveOptions load;
    load.connections = stage_.options.connections != 0 ? stage_.options.connections : kAtOnce;
    load.rate = stage_.options.rate;
    for (const auto& one : kCases) {
      if (turn.test_case != one.name) continue;
      load.answer_bytes = one.answer;
      load.upload_bytes = one.upload;
    }
    return drive(turn, load);
  }
};

}  // namespace

ScenarioInfo bodies_scenario() {
  ScenarioInfo info;
  info.name = "bodies";
  info.summary = "large answers and uploads: CPU per MiB, throughput";
  info.explanation =
      "Answers of 64 KiB and of 1 MiB and uploads of 1 MiB over 16 kept connections (or\n"
      "--connections, or at a --rate): the proxy's CPU time per MiB and per request.";
  info.defaults.against = {"haproxy", "nginx", "direct"};
  info.make = [](Stage& stage) { return std::make_unique<Bodies>(stage); };
  return info;
}

}  // namespace pilotfish::bench
