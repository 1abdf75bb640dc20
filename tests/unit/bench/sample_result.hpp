#pragma once

#include <cmath>
#include <string>
#include <vector>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// A number from 0 to 1 that looks random and is the same on every machine.
inline double wobble(std::uint64_t seed) {
  seed = (seed + 1) * 0x9e3779b97f4a7c15U;
  seed = (seed ^ (seed >> 31U)) * 0xbf58476d1ce4e5b9U;
  return static_cast<double>((seed ^ (seed >> 29U)) >> 11U) / 9007199254740992.0;
}

struct SampleContender {
  std::string name;
  double cpu_us = 0;  ///< 0: not measured
  double p50_us = 200;
};

inline std::vector<SampleContender> five_contenders() {
  return {{"direct", 0, 150},
          {"pilotfish", 13.1, 200},
          {"haproxy", 14.7, 205},
          {"nginx", 14.9, 210},
          {"envoy", 31, 320}};
}

inline std::vector<std::pair<double, double>> sample_latency(double p50, std::uint64_t seed) {
  std::vector<std::pair<double, double>> curve;
  for (const double fraction :
       {0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0}) {
    const double nines = fraction >= 1 ? 5 : -std::log10(1 - fraction);
    curve.emplace_back(
        fraction, p50 * (0.6 + 0.2 * nines * nines + 0.5 * nines) * (0.95 + 0.1 * wobble(seed)));
  }
  return curve;
}

/// A steady run of these contenders, as it may have come out.
inline RunResult sample_result(const std::vector<SampleContender>& contenders,
                               const std::vector<std::string>& cases = {""}, int rounds = 5) {
  RunResult result;
  result.scenario = "steady";
  result.date = "2026-11-21T08:00:00Z";
  result.version = "0.1.0 (a84df0a)";
  result.arguments = {"bench", "steady", "--rounds", std::to_string(rounds)};
  result.options = {{"connections", "64"}, {"duration", "3s"}, {"rate", ""}};
  result.machine = {"Linux 6.1.0", "Some Processor 3.00GHz", 2, 8ULL << 30U, 0.42};
  for (const auto& each : contenders) {
    result.contenders.push_back({each.name, each.name + " 1.2.3", "/usr/bin/" + each.name + " -f x",
                                 "listen: 127.0.0.1:1\nname: <" + each.name + ">\n"});
    for (const auto& test_case : cases) {
      for (int round = 1; round <= rounds; ++round) {
        const auto seed =
            static_cast<std::uint64_t>(round) * 31 + each.name.size() * 7 + test_case.size() * 1009;
        const double mood = 0.98 + 0.04 * wobble(seed);
        Measurement measurement{each.name, test_case, round, {}, {}};
        if (each.cpu_us > 0) measurement.figures["cpu_per_request_us"] = each.cpu_us * mood;
        measurement.figures["rate_per_s"] = 10000 / mood;
        measurement.figures["p50_us"] = each.p50_us * mood;
        measurement.figures["p99_us"] = each.p50_us * mood * 3;
        measurement.figures["failed"] = 0;
        measurement.latency = sample_latency(each.p50_us, seed);
        result.measurements.push_back(std::move(measurement));
      }
    }
  }
  return result;
}

/// `instances` of which one leaves in the middle and one joins, with a few failures.
inline Timeline sample_timeline(const std::string& contender, int instances,
                                std::size_t buckets = 100) {
  Timeline timeline;
  timeline.contender = contender;
  timeline.round = 1;
  for (int i = 1; i <= instances; ++i) {
    auto& row = timeline.requests["#" + std::to_string(i)];
    for (std::size_t bucket = 0; bucket < buckets; ++bucket) {
      const bool there = i == 1 ? bucket < buckets / 2 : i != 2 || bucket >= buckets / 4;
      const double share = 40.0 / std::sqrt(i);
      row.push_back(
          there ? static_cast<std::uint32_t>(
                      share * (0.8 + 0.4 * wobble(bucket * 1000 + static_cast<std::uint64_t>(i))))
                : 0);
    }
  }
  auto& failed = timeline.requests["failed"];
  failed.assign(buckets, 0);
  failed[buckets / 2] = 7;
  const double length = timeline.bucket_ms * static_cast<double>(buckets);
  timeline.events = {{length / 4, "#2 registered"},
                     {length / 4 + 40, "in the snapshot"},
                     {length / 2, "#1 killed"},
                     {length / 2 + 60, "ejected"}};
  return timeline;
}

}  // namespace pilotfish::bench
