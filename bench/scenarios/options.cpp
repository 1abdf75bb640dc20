#include "bench/scenarios/options.hpp"

#include <algorithm>
#include <fmt/core.h>
#include <fmt/ranges.h>
#include <set>

#include "bench/lab/script.hpp"
#include "bench/lab/text.hpp"

namespace pilotfish::bench {
namespace {

constexpr auto kShortest = std::chrono::milliseconds(200);
constexpr auto kLongest = std::chrono::hours(1);
constexpr std::size_t kMostInstances = 10'000;
constexpr std::size_t kMostConnections = 50'000;
constexpr double kHighestRate = 1e6;
constexpr int kMostRounds = 1000;

std::string one_of(const char* option, const std::string& value,
                   const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return value;
  throw WrongUsage(fmt::format("{}: \"{}\" is none of {}", option, value, fmt::join(known, ", ")));
}

Duration duration_of(const std::string& text) {
  const auto duration = parse_duration(text);
  if (!duration) {
    throw WrongUsage("--duration: \"" + text + "\" is not a duration like 500ms, 3s or 1m");
  }
  if (*duration < kShortest || *duration > kLongest) {
    throw WrongUsage("--duration: between 200ms and 1h, not " + text);
  }
  return *duration;
}

template <class Number>
Number within(const char* option, Number value, Number low, Number high) {
  if (value >= low && value <= high) return value;
  throw WrongUsage(fmt::format("{}: between {} and {}, not {}", option, low, high, value));
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> words;
  std::set<std::string> seen;
  for (std::size_t from = 0; from <= text.size();) {
    const auto comma = std::min(text.find(',', from), text.size());
    auto word = text.substr(from, comma - from);
    from = comma + 1;
    if (word.empty()) {
      if (text.empty()) break;
      throw WrongUsage("--against: an empty name in \"" + text + "\"");
    }
    if (word == "none" && text == word) return {};
    if (word == "pilotfish") continue;  // always takes part
    if (!seen.insert(word).second) throw WrongUsage("--against: " + word + " is named twice");
    words.push_back(std::move(word));
  }
  return words;
}

}  // namespace

BenchOptions understand(const BenchArguments& arguments, const BenchDefaults& defaults) {
  BenchOptions options;
  options.scenario = arguments.scenario;
  options.registry =
      one_of("--registry", arguments.registry.empty() ? defaults.registry : arguments.registry,
             {"embedded", "consul", "coredns"});
  options.against_given = !arguments.against.empty();
  options.against = options.against_given ? split(arguments.against) : defaults.against;
  options.fresh = one_of("--fresh", arguments.fresh.empty() ? "connection" : arguments.fresh,
                         {"connection", "ttl", "watch"});
  if (options.fresh == "watch" && options.registry != "consul") {
    throw WrongUsage("--fresh watch asks Consul's API: it needs --registry consul");
  }
  options.duration =
      arguments.duration.empty() ? defaults.duration : duration_of(arguments.duration);
  options.instances = within<std::size_t>(
      "--instances", arguments.instances.value_or(defaults.instances), 1, kMostInstances);
  if (arguments.rate && arguments.connections) {
    throw WrongUsage(
        "--rate and --connections: one of them; a rate takes what connections it needs");
  }
  if (arguments.connections) {
    options.connections =
        within<std::size_t>("--connections", *arguments.connections, 1, kMostConnections);
  }
  if (arguments.rate) options.rate = within("--rate", *arguments.rate, 1.0, kHighestRate);
  options.rounds = within("--rounds", arguments.rounds.value_or(defaults.rounds), 1, kMostRounds);
  options.out = arguments.out;
  options.seed = arguments.seed;
  options.pin = !arguments.no_pin;
  return options;
}

std::map<std::string, std::string> describe(const BenchOptions& options) {
  const auto chosen = [](auto value) {
    return value == decltype(value){} ? std::string("the scenario's choice")
                                      : fmt::format("{}", value);
  };
  return {{"registry", options.registry},
          {"against", fmt::format("{}", fmt::join(options.against, ","))},
          {"fresh", options.fresh},
          {"instances", std::to_string(options.instances)},
          {"rate", chosen(options.rate)},
          {"connections", chosen(options.connections)},
          {"duration", short_duration(options.duration)},
          {"rounds", std::to_string(options.rounds)},
          {"pin", options.pin ? "the proxy on one processor, all else on the others" : "no"}};
}

}  // namespace pilotfish::bench
