#include "bench/lab/steady.hpp"

#include <fmt/core.h>
#include <thread>
#include <vector>

#include "bench/harness/backend.hpp"
#include "bench/harness/cpu_time.hpp"
#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/load.hpp"
#include "bench/harness/sidecar.hpp"
#include "bench/lab/display.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/lab/text.hpp"

namespace pilotfish::bench {
namespace {

constexpr const char* kService = "steady";
constexpr std::size_t kBody = 100;
constexpr auto kWarmUp = std::chrono::seconds(1);

std::string configuration(const Endpoint& admin, const Endpoint& listen, const Endpoint& registry) {
  return fmt::format(
      "admin: {}\nconsul: {{http: \"http://127.0.0.1:1\", dns: \"{}\"}}\n"
      "upstreams:\n  {}:\n    listen: {}\n    consul: {}\n",
      admin.to_string(), registry.to_string(), kService, listen.to_string(), kService);
}

/// False where it was interrupted.
bool wait(Duration duration) {
  const auto until = Clock::now() + duration;
  while (Clock::now() < until && !interrupted()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return !interrupted();
}

class Steady {
 public:
  explicit Steady(const SteadyOptions& options) : options_(options) {
    for (std::size_t i = 1; i <= options.instances; ++i) {
      BackendOptions backend;
      backend.instance = "#" + std::to_string(i);
      backend.body_bytes = kBody;
      backends_.push_back(std::make_unique<Backend>(loop_, backend));
      CatalogueInstance instance;
      instance.endpoint = backends_.back()->endpoint();
      registry_.add(kService, std::move(instance));
    }
  }

  int run() {
    Sidecar sidecar(
        [this](const Endpoint& admin, const Endpoint& listen) {
          return configuration(admin, listen, registry_.endpoint());
        },
        std::chrono::seconds(5));
    write_out(fmt::format("steady: {} instances, {:.0f} requests/s for {}, up to {} connections\n",
                          options_.instances, options_.rate, short_duration(options_.duration),
                          options_.connections));
    write_out(fmt::format("{:<10}{:>10}{:>8}{:>9}{:>9}{:>9}{:>9}{:>13}\n", "through", "requests",
                          "failed", "p50", "p99", "p99.9", "max", "CPU/request"));
    const bool direct = measure(
        "direct",
        [this](Random& random) { return backends_[random.below(backends_.size())]->endpoint(); },
        std::nullopt);
    const bool through =
        direct && measure(
                      "pilotfish", [listen = sidecar.listen()](Random&) { return listen; },
                      sidecar.process().pid());
    return through ? 0 : 1;
  }

 private:
  /// False where a request failed or it was interrupted.
  bool measure(const char* name, std::function<std::optional<Endpoint>(Random&)> target,
               std::optional<pid_t> process) {
    LoadOptions options;
    options.target = std::move(target);
    options.rate = options_.rate;
    options.new_connection_share = 0;
    options.max_connections = options_.connections;
    Load load(options);
    load.start();
    wait(kWarmUp);
    load.reset();
    const auto before = process ? cpu_time(*process) : std::nullopt;
    wait(options_.duration);
    const auto after = process ? cpu_time(*process) : std::nullopt;
    const auto during = load.report().requests;
    load.stop(std::chrono::seconds(1));
    const auto report = load.report();
    std::string cost = "-";
    if (before && after && during != 0) {
      cost = short_duration((*after - *before) / static_cast<Duration::rep>(during));
    }
    const auto& latency = report.latency;
    write_out(fmt::format(
        "{:<10}{:>10}{:>8}{:>9}{:>9}{:>9}{:>9}{:>13}\n", name, report.requests, report.failed,
        short_duration(latency.percentile(0.5)), short_duration(latency.percentile(0.99)),
        short_duration(latency.percentile(0.999)), short_duration(latency.max()), cost));
    for (const auto& [error, count] : report.errors) {
      write_out(fmt::format("  {} x {}\n", count, error));
    }
    return report.failed == 0 && report.requests != 0 && !interrupted();
  }

  const SteadyOptions options_;
  EmbeddedRegistry registry_;
  LoopThread loop_;
  std::vector<std::unique_ptr<Backend>> backends_;
};

}  // namespace

int run_steady(const SteadyOptions& options) {
  return Steady(options).run();
}

}  // namespace pilotfish::bench
