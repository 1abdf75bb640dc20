#include "bench/scenarios/scenarios.hpp"
#include "bench/scenarios/speed.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kMessage = 64;
constexpr std::size_t kTalkers = 64;
constexpr std::size_t kStreams = 4;
constexpr const char* kSmall = "64-byte messages";
constexpr const char* kBulk = "bulk";

/// Two worlds: instances that echo, and instances that send without an end, each behind proxies of
/// its own, because a relayed connection goes where its listener points.
class Tcp final : public Scenario {
 public:
  explicit Tcp(Stage& stage)
      : options_(stage.options),
        second_{stage.options, stage.peers, unused_},
        echo_(stage, FarmOptions::Kind::kEcho),
        source_(second_, FarmOptions::Kind::kSource) {}

  [[nodiscard]] std::vector<std::string> contenders() const override {
    return echo_.lineup().names();
  }
  [[nodiscard]] std::vector<std::string> cases() const override { return {kSmall, kBulk}; }
  [[nodiscard]] Duration expected(const Turn& turn) const override { return echo_.expected(turn); }

  Measurement measure(const Turn& turn) override {
    if (turn.test_case == kBulk) {
      BulkOptions load;
      load.connections = kStreams;
      return source_.stream(turn, load);
    }
    DriveOptions load;
    load.protocol = DriveOptions::Protocol::kEcho;
    load.connections = options_.connections != 0 ? options_.connections : kTalkers;
    load.rate = options_.rate;
    load.upload_bytes = load.answer_bytes = kMessage;
    auto measurement = echo_.drive(turn, load);
    auto& figures = measurement.figures;
    auto rate = figures.extract("rate_per_s");
    figures["messages_per_s"] = rate.mapped();
    figures.erase("cpu_user_per_request_us");
    figures.erase("cpu_kernel_per_request_us");
    if (auto cpu = figures.extract("cpu_per_request_us")) {
      figures["cpu_per_message_us"] = cpu.mapped();
    }
    return measurement;
  }

 private:
  const BenchOptions& options_;
  RunResult unused_;  // the second world's contenders are the first one's, on other ports
  Stage second_;
  SpeedWorld echo_;
  SpeedWorld source_;
};

}  // namespace

ScenarioInfo tcp_scenario() {
  ScenarioInfo info;
  info.name = "tcp";
  info.summary = "a relay of bytes: CPU per small message, CPU per MiB";
  info.explanation =
      "64 connections (or --connections) send 64 bytes and wait for their echo, again and again: "
      "the\n"
      "proxy's CPU time per message. Then 4 connections that carry as many bytes as they can: its\n"
      "CPU time per MiB.";
  info.defaults.against = {"haproxy", "envoy", "direct"};
  info.make = [](Stage& stage) { return std::make_unique<Tcp>(stage); };
  return info;
}

}  // namespace pilotfish::bench
