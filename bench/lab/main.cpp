#include <CLI/CLI.hpp>
#include <boost/system/system_error.hpp>
#include <iostream>

#include "bench/harness/peer.hpp"
#include "bench/harness/unavailable.hpp"
#include "bench/lab/compare_command.hpp"
#include "bench/lab/demo.hpp"
#include "bench/lab/display.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/lab/registry.hpp"
#include "bench/lab/script.hpp"
#include "bench/scenarios/command.hpp"

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

/// Options of `bench`, and what it does with its words.
class BenchCommand {
 public:
  explicit BenchCommand(CLI::App& app)
      : command_(app.add_subcommand(
            "bench", "Measures pilotfish beside other proxies: bench SCENARIO, bench list")) {
    command_
        ->add_option("scenario", words_,
                     "Its name; or list: all of them explained; or compare A B: "
                     "what changed between two results")
        ->required()
        ->expected(1, 3);
    command_->add_option("--registry", arguments_.registry,
                         "embedded, consul or coredns: where instances are registered");
    command_->add_option("--against", arguments_.against,
                         "Other contenders: haproxy, nginx, envoy, direct (no proxy), or the path "
                         "of a file that describes one; none: pilotfish alone");
    command_->add_option("--fresh", arguments_.fresh,
                         "connection, ttl or watch: how pilotfish follows the registry");
    command_->add_option("--instances", arguments_.instances, "Registered");
    command_->add_option("--rate", arguments_.rate,
                         "Requests per second, each due at its own moment");
    command_->add_option("--connections", arguments_.connections,
                         "That many ask as fast as they are answered");
    command_->add_option("--duration", arguments_.duration, "Of one measurement: 500ms, 3s, 1m");
    command_->add_option("--rounds", arguments_.rounds,
                         "Each measures every contender once; the median is what counts");
    command_->add_option("--out", arguments_.out,
                         "Folder for result.json and report.html; else one in bench-results/");
    command_->add_option("--seed", arguments_.seed, "Of all randomness")->capture_default_str();
    command_->add_flag("--no-pin", arguments_.no_pin,
                       "Leave it to the system on which processor the proxy runs");
    command_->footer("Scenarios:\n" + scenario_lines());
  }

  [[nodiscard]] bool parsed() const { return command_->parsed(); }

  int run(const std::vector<std::string>& command_line) {
    const auto& word = words_.front();
    if (word == "list" && words_.size() == 1) return write_out(list_text()) ? 0 : kFailure;
    if (word == "compare") {
      if (words_.size() == 3) return run_compare(words_[1], words_[2]);
      return usage("bench compare: needs two results, each a result.json or its folder");
    }
    if (words_.size() != 1) {
      return usage("bench: one scenario, not \"" + words_[1] + "\" besides");
    }
    arguments_.scenario = word;
    return run_bench(arguments_, command_line);
  }

 private:
  CLI::App* command_;
  std::vector<std::string> words_;
  BenchArguments arguments_;
};

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

  BenchCommand bench(app);

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
  if (bench.parsed()) return bench.run({argv + 1, argv + argc});
  return demo(length, options);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return dispatch(argc, argv);
  } catch (const WrongUsage& error) {
    return usage(error.what());
  } catch (const WrongPeer& error) {
    return usage(error.what());
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
