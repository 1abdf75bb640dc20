#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace pilotfish::bench {

/// What one benchmark run measured, with everything needed to repeat it: the content of
/// `result.json`, from which the tables, `report.html` and `bench compare` are made. Values only;
/// pure. Thread-safety: a value. Numbers are in the unit that the figure's key ends in: `_us`,
/// `_ms`,
/// `_bytes`, `_per_s`, `_ratio`; a key without one of these endings is a count.

/// The machine the run was on.
struct MachineInfo {
  std::string kernel;
  std::string processor;
  int cores = 0;
  std::uint64_t memory_bytes = 0;
  double load_before = 0;  ///< the 1-minute load average as the run began
};

/// Somebody who was measured, as it was run.
struct ContenderInfo {
  std::string name;
  std::string version;        ///< what it says of itself, one line
  std::string command;        ///< as started
  std::string configuration;  ///< as started, ports included
};

/// One contender in one round of one case.
struct Measurement {
  std::string contender;
  std::string test_case;  ///< `64 connections`, `1 MiB body`; empty where there is one only
  int round = 0;          ///< from 1; the warm-up is not in here
  std::map<std::string, double> figures;
  /// Latency curve: (fraction from 0 to 1, microseconds), ascending.
  std::vector<std::pair<double, double>> latency;
};

/// Something that happened during a timeline.
struct TimelineEvent {
  double at_ms = 0;
  std::string what;
};

/// What each instance answered over time, in one round of one contender.
struct Timeline {
  std::string contender;
  std::string test_case;
  int round = 0;
  double bucket_ms = 50;
  /// Instance (or `failed`) -> requests that ended in each bucket; all of the same length.
  std::map<std::string, std::vector<std::uint32_t>> requests;
  std::vector<TimelineEvent> events;
};

struct RunResult {
  std::string scenario;
  std::string date;                            ///< UTC, ISO 8601
  std::string version;                         ///< of pilotfish-lab, with its commit
  std::vector<std::string> arguments;          ///< the command line, to run it again
  std::map<std::string, std::string> options;  ///< as understood, defaults included
  std::uint64_t seed = 1;
  MachineInfo machine;
  std::vector<ContenderInfo> contenders;
  std::vector<Measurement> measurements;
  std::vector<Timeline> timelines;
  std::vector<std::string> notes;  ///< what a reader must know: who could not take part, and why
};

/// A figure over the rounds.
struct Summary {
  double median = 0;
  double low = 0;
  double high = 0;
  int rounds = 0;
};

/// Empty where no round has the figure.
[[nodiscard]] std::optional<Summary> summarise(const RunResult& result,
                                               const std::string& contender,
                                               const std::string& test_case,
                                               const std::string& figure);

}  // namespace pilotfish::bench
