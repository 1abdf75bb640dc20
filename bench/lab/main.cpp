#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>
#include <iostream>

#include "bench/harness/sidecar.hpp"
#include "bench/lab/demo.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/lab/registry.hpp"
#include "bench/lab/script.hpp"
#include "bench/lab/steady.hpp"

namespace {

constexpr int kFailure = 1;
constexpr int kUsage = 64;
constexpr int kUnavailable = 69;

using namespace pilotfish::bench;

int usage(const std::string& message) {
  std::cerr << "pilotfish-lab: " << message << '\n';
  return kUsage;
}

int demo(const std::string& length, DemoOptions options) {
  const auto total = parse_duration(length);
  if (!total) return usage("--for: \"" + length + "\" is not a duration like 10s or 1m");
  if (*total < kShortestDemo) return usage("--for: the script needs at least 5s, not " + length);
  if (*total > kLongestDemo) return usage("--for: at most 24h, not " + length);
  options.total = *total;
  return run_demo(options);
}

int bench(const std::string& scenario, const std::string& length, SteadyOptions options) {
  if (scenario != "steady") {
    return usage("bench: no scenario \"" + scenario + "\"; there is: steady");
  }
  const auto duration = parse_duration(length);
  if (!duration || *duration < std::chrono::seconds(1) || *duration > std::chrono::hours(1)) {
    return usage("--duration: between 1s and 1h, not " + length);
  }
  options.duration = *duration;
  return run_steady(options);
}

int dispatch(int argc, char** argv) {
  CLI::App app{"A lab for pilotfish: registry, backends and load in one process", "pilotfish-lab"};
  app.require_subcommand(1);

  auto* demo_command = app.add_subcommand(
      "demo", "Registry, backends, traffic and the sidecar on loopback; a fallback and a kill");
  std::string length = "10s";
  DemoOptions options;
  demo_command->add_option("--for", length, "How long, from 5s on; the script is fitted into it")
      ->capture_default_str();
  demo_command->add_flag("--plain", options.plain, "Lines instead of a table, also on a terminal");
  demo_command->add_option("--log", options.log,
                           "A file for the sidecar's log, with every request");
  demo_command->add_flag("--direct", options.direct)->group("");

  auto* registry_command = app.add_subcommand(
      "registry", "The embedded registry alone; obeys lines like: add billing 127.0.0.1:9001 v4");
  RegistryOptions registry;
  registry_command->add_option("--port", registry.port, "Of 127.0.0.1, UDP and TCP; 0: any")
      ->capture_default_str();
  registry_command->add_option("--file", registry.file, "JSON with the services to begin with");
  registry_command->add_flag("--silent-trim", registry.silent_trim,
                             "Trim large answers without saying so, as Consul does");

  auto* bench_command = app.add_subcommand("bench", "Runs a benchmark scenario");
  std::string scenario;
  std::string duration = "5s";
  SteadyOptions steady;
  bench_command->add_option("scenario", scenario, "Its name: steady")->required();
  bench_command->add_option("--duration", duration, "Of each measurement")->capture_default_str();
  bench_command->add_option("--rate", steady.rate, "Requests per second")
      ->capture_default_str()
      ->check(CLI::Range(1.0, 1e6));
  bench_command->add_option("--instances", steady.instances, "Registered")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  bench_command->add_option("--connections", steady.connections, "At most")
      ->capture_default_str()
      ->check(CLI::Range(1, 10000));

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help) {
    return app.exit(help);
  } catch (const CLI::ParseError& error) {
    app.exit(error);
    return kUsage;
  }
  catch_interrupts();
  if (registry_command->parsed()) return run_registry(registry);
  return demo_command->parsed() ? demo(length, options) : bench(scenario, duration, steady);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const Unavailable& error) {
    std::cerr << "pilotfish-lab: " << error.what() << '\n';
    return kUnavailable;
  } catch (const boost::system::system_error& error) {
    std::cerr << "pilotfish-lab: a port cannot be bound: " << error.what() << '\n';
    return kUnavailable;
  } catch (const std::exception& error) {
    std::cerr << "pilotfish-lab: " << error.what() << '\n';
    return kFailure;
  }
}
