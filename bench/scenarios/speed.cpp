#include "bench/scenarios/speed.hpp"

#include <algorithm>
#include <optional>
#include <thread>

#include "bench/harness/affinity.hpp"
#include "bench/harness/usage.hpp"
#include "bench/lab/interrupt.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kSettle = std::chrono::milliseconds(300);
constexpr Duration kLongestWarmUp = std::chrono::seconds(1);
constexpr double kMiB = 1024.0 * 1024.0;

/// Less where it is interrupted.
void wait(Duration duration) {
  const auto until = Clock::now() + duration;
  for (auto now = Clock::now(); now < until && !interrupted(); now = Clock::now()) {
    std::this_thread::sleep_for(std::min<Duration>(until - now, std::chrono::milliseconds(20)));
  }
}

double micros(Duration duration) {
  return std::chrono::duration<double, std::micro>(duration).count();
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// CPU time of a contender over a time.
class CpuMeter {
 public:
  explicit CpuMeter(const Contender& contender) : pid_(contender.pid()) {
    if (pid_) before_ = tree_cpu(*pid_);
  }
  [[nodiscard]] std::optional<CpuUse> used() const {
    if (!before_) return std::nullopt;
    const auto now = tree_cpu(*pid_);
    if (!now) return std::nullopt;
    return CpuUse{now->user - before_->user, now->kernel - before_->kernel};
  }

 private:
  std::optional<pid_t> pid_;
  std::optional<CpuUse> before_;
};

}  // namespace

std::vector<std::pair<double, double>> latency_curve(const LatencyHistogram& latency) {
  std::vector<std::pair<double, double>> curve;
  if (latency.count() == 0) return curve;
  for (const double fraction :
       {0.0,   0.1,  0.2,   0.3,  0.4,  0.5,   0.6,    0.7,   0.75,   0.8,    0.85,   0.9,
        0.925, 0.95, 0.975, 0.98, 0.99, 0.995, 0.9975, 0.999, 0.9995, 0.9999, 0.99999}) {
    if (fraction > 0.99 && static_cast<double>(latency.count()) * (1 - fraction) < 1) break;
    curve.emplace_back(fraction, micros(latency.percentile(fraction)));
  }
  curve.emplace_back(1.0, micros(latency.max()));
  return curve;
}

Assignment speed_assignment(const Peer& peer, const BenchOptions& options,
                            const std::string& protocol, const Registry& registry,
                            const std::vector<Endpoint>& instances) {
  Assignment assignment;
  assignment.instances = instances;
  assignment.processor = options.pin ? 0 : -1;
  assignment.variables = {{"service", kService}, {"fresh", options.fresh}};
  if (is_pilotfish(peer)) {
    const bool consul = registry.name() != "coredns";
    assignment.templates.push_back(protocol + (consul ? "_consul" : "_srv"));
    assignment.variables["srv"] = registry.srv_name(kService);
    assignment.addresses["dns"] = registry.dns();
    // The embedded registry has no API; nothing listens there.
    assignment.addresses["agent"] =
        registry.agent().value_or(Endpoint{IpAddress::v4({127, 0, 0, 1}), 1});
  }
  assignment.templates.push_back(protocol + "_static");
  return assignment;
}

SpeedWorld::SpeedWorld(Stage& stage, FarmOptions::Kind kind) : stage_(stage) {
  const auto& options = stage.options;
  {
    const OnProcessor elsewhere(options.pin ? 0 : -1, true);
    registry_ = start_registry(options.registry);
    farm_ = std::make_unique<Farm>(FarmOptions{kind, options.instances});
  }
  for (const auto& endpoint : farm_->endpoints()) {
    CatalogueInstance instance;
    instance.endpoint = endpoint;
    registry_->add(kService, instance);
  }
  const std::string protocol = kind == FarmOptions::Kind::kHttp ? "http" : "tcp";
  lineup_ = std::make_unique<Lineup>(
      stage,
      [&options, protocol, this](const Peer& peer) {
        return speed_assignment(peer, options, protocol, *registry_, farm_->endpoints());
      },
      farm_->endpoints());
  stage.result.notes.push_back("pilotfish takes its instances from the registry (" +
                               registry_->version() +
                               "); the others have them in their configuration");
}

Duration SpeedWorld::duration_of(const Turn& turn) const {
  return turn.round == 0 ? std::min(stage_.options.duration, kLongestWarmUp)
                         : stage_.options.duration;
}

Duration SpeedWorld::expected(const Turn& turn) const {
  return duration_of(turn) + kSettle;
}

Measurement SpeedWorld::drive(const Turn& turn, DriveOptions options) {
  auto& contender = lineup_->get(turn.contender);
  options.targets = contender.targets();
  const OnProcessor elsewhere(stage_.options.pin ? 0 : -1, true);
  Drive load(options);
  Measurement measurement;
  wait(kSettle);
  load.reset();
  const CpuMeter cpu(contender);
  const auto began = Clock::now();
  wait(duration_of(turn));
  const auto ended = load.requests();
  const auto used = cpu.used();
  const auto during = seconds(Clock::now() - began);
  const auto report = load.stop();
  contender.must_run();
  auto& figures = measurement.figures;
  const auto requests = static_cast<double>(ended);
  if (used && ended != 0) {
    figures["cpu_per_request_us"] = micros(used->sum()) / requests;
    figures["cpu_user_per_request_us"] = micros(used->user) / requests;
    figures["cpu_kernel_per_request_us"] = micros(used->kernel) / requests;
  }
  figures["rate_per_s"] = requests / during;
  figures["failed"] = static_cast<double>(report.failed);
  if (options.rate > 0) figures["late"] = static_cast<double>(report.late);
  if (report.latency.count() != 0) {
    figures["p50_us"] = micros(report.latency.percentile(0.5));
    figures["p99_us"] = micros(report.latency.percentile(0.99));
    figures["p999_us"] = micros(report.latency.percentile(0.999));
  }
  const auto body = static_cast<double>(options.upload_bytes + options.answer_bytes);
  if (used && ended != 0 && body >= kMiB / 64) {
    figures["cpu_per_mib_us"] = micros(used->sum()) / (requests * body / kMiB);
    figures["throughput_bytes_per_s"] = requests * body / during;
  }
  measurement.latency = latency_curve(report.latency);
  for (const auto& [error, count] : report.errors) {
    auto note =
        turn.contender + (turn.test_case.empty() ? "" : ", " + turn.test_case) + ": " + error;
    auto& notes = stage_.result.notes;
    if (std::find(notes.begin(), notes.end(), note) == notes.end()) notes.push_back(note);
  }
  return measurement;
}

Measurement SpeedWorld::stream(const Turn& turn, BulkOptions options) {
  auto& contender = lineup_->get(turn.contender);
  options.targets = contender.targets();
  const OnProcessor elsewhere(stage_.options.pin ? 0 : -1, true);
  BulkDrive load(options);
  wait(kSettle);
  load.reset();
  const CpuMeter cpu(contender);
  wait(duration_of(turn));
  const auto used = cpu.used();
  const auto report = load.stop();
  contender.must_run();
  Measurement measurement;
  const auto bytes = static_cast<double>(report.bytes);
  if (used && report.bytes != 0) {
    measurement.figures["cpu_per_mib_us"] = micros(used->sum()) / (bytes / kMiB);
  }
  measurement.figures["throughput_bytes_per_s"] = bytes / seconds(report.during);
  measurement.figures["failed"] = static_cast<double>(report.failed);
  return measurement;
}

}  // namespace pilotfish::bench
