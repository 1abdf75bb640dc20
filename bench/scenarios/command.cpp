#include "bench/scenarios/command.hpp"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "bench/harness/affinity.hpp"
#include "bench/harness/raw_sockets.hpp"
#include "bench/harness/unavailable.hpp"
#include "bench/lab/interrupt.hpp"
#include "bench/scenarios/machine.hpp"
#include "bench/scenarios/output.hpp"
#include "bench/scenarios/rounds.hpp"
#include "bench/scenarios/scenario.hpp"

namespace pilotfish::bench {
namespace {

ScenarioInfo need_scenario(const std::string& name) {
  if (auto found = find_scenario(name)) return std::move(*found);
  std::vector<std::string> names;
  for (const auto& scenario : scenario_list()) names.push_back(scenario.name);
  throw WrongUsage(
      fmt::format("bench: no scenario \"{}\"; there are: {}", name, fmt::join(names, ", ")));
}

/// Names and files are looked at before anything starts.
void check_peers(const BenchOptions& options, const Peers& peers) {
  for (const auto& name : options.against) {
    if (name != "direct") static_cast<void>(peers.find(name));
  }
}

}  // namespace

int run_bench(const BenchArguments& arguments, const std::vector<std::string>& command_line) {
  const auto scenario = need_scenario(arguments.scenario);
  auto options = understand(arguments, scenario.defaults);
  const Peers peers;
  check_peers(options, peers);
  options.pin = options.pin && usable_processors() > 1;
  raise_descriptor_limit();

  RunResult result;
  result.scenario = scenario.name;
  result.date = utc_now();
  result.version = lab_version();
  result.arguments = command_line;
  result.options = describe(options);
  result.seed = options.seed;
  result.machine = this_machine();
  const auto folder = options.out.empty() ? default_folder(result) : options.out;
  prepare_folder(folder);

  Stage stage{options, peers, result};
  try {
    const auto played = scenario.make(stage);
    play(*played, stage);
  } catch (const Unavailable&) {
    if (!result.measurements.empty()) publish(result, folder);
    throw;
  }
  if (interrupted()) result.notes.emplace_back("interrupted before all rounds were played");
  publish(result, folder);
  return interrupted() ? 1 : 0;
}

std::string scenario_lines() {
  std::string text;
  for (const auto& scenario : scenario_list()) {
    text += fmt::format("  {:<16}{}\n", scenario.name, scenario.summary);
  }
  return text;
}

std::string list_text() {
  std::string text;
  for (const auto& scenario : scenario_list()) {
    const auto& defaults = scenario.defaults;
    text += fmt::format("{}: {}\n", scenario.name, scenario.summary);
    std::string_view rest = scenario.explanation;
    while (!rest.empty()) {
      const auto end = std::min(rest.find('\n'), rest.size());
      text += fmt::format("  {}\n", rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    text += fmt::format("  Unless told otherwise: against {}, {} instances, {} rounds.\n\n",
                        fmt::join(defaults.against, ", "), defaults.instances, defaults.rounds);
  }
  return text;
}

}  // namespace pilotfish::bench
