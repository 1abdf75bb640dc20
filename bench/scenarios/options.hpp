#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::bench {

/// What a scenario does where the command line is silent.
struct BenchDefaults {
  std::string registry = "embedded";
  std::vector<std::string> against = {"haproxy", "nginx", "envoy", "direct"};
  std::size_t instances = 3;
  Duration duration = std::chrono::seconds(3);
  int rounds = 5;
};

/// One run as asked for, the scenario's defaults filled in. Values only.
struct BenchOptions {
  std::string scenario;
  std::string registry;              ///< embedded, consul or coredns
  std::vector<std::string> against;  ///< names of peers or paths of their files; never pilotfish
  bool against_given = false;        ///< by the user: who is missing then is an error, not a note
  std::string fresh = "connection";  ///< connection, ttl or watch
  std::size_t instances = 3;
  double rate = 0;              ///< requests per second; 0: as the scenario thinks best
  std::size_t connections = 0;  ///< 0: as the scenario thinks best
  Duration duration{};          ///< of one measurement
  int rounds = 5;               ///< measured ones; a warm-up goes before them
  std::filesystem::path out;    ///< folder for the result; empty: one is made up
  std::uint64_t seed = 1;
  bool pin = true;  ///< the measured proxy on the first processor, all else on the others
};

/// The command line as text, before a scenario is known.
struct BenchArguments {
  std::string scenario;
  std::string registry;
  std::string against;
  std::string fresh;
  std::string duration;
  std::string out;
  std::optional<std::size_t> instances;
  std::optional<std::size_t> connections;
  std::optional<double> rate;
  std::optional<int> rounds;
  std::uint64_t seed = 1;
  bool no_pin = false;
};

/// Checks and fills in. Throws WrongUsage with a sentence that names the option. Pure.
[[nodiscard]] BenchOptions understand(const BenchArguments& arguments,
                                      const BenchDefaults& defaults);

/// The options by name, as `result.json` keeps them. Pure.
[[nodiscard]] std::map<std::string, std::string> describe(const BenchOptions& options);

/// The exit code is 64.
struct WrongUsage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

}  // namespace pilotfish::bench
