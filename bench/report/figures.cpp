#include "bench/report/figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/core.h>

namespace pilotfish::bench {
namespace {

struct Known {
  std::string_view key;
  std::string_view title;
  Better better = Better::kLower;
  double noise = 0.05;
  double least = 0;
  bool adds = false;
};

constexpr auto kLow = Better::kLower;
constexpr auto kHigh = Better::kHigher;
constexpr auto kNone = Better::kNeither;

/// In the order in which they are shown. The unit is what the key ends in.
constexpr auto kKnown = std::to_array<Known>({
    {"cpu_per_request_us", "CPU per request", kLow, 0.02, 0.1},
    {"cpu_user_per_request_us", "CPU in user space", kLow, 0.04, 0.1},
    {"cpu_kernel_per_request_us", "CPU in the kernel", kLow, 0.04, 0.1},
    {"cpu_per_connection_us", "CPU per connection", kLow, 0.02, 0.2},
    {"cpu_per_message_us", "CPU per message", kLow, 0.02, 0.1},
    {"cpu_per_mib_us", "CPU per MiB", kLow, 0.03, 1},
    {"cpu_cores_ratio", "CPU cores in use", kNone, 0.03, 0.01},
    {"rate_per_s", "requests per second", kHigh, 0.03},
    {"connections_per_s", "connections per second", kHigh, 0.03},
    {"messages_per_s", "messages per second", kHigh, 0.03},
    {"throughput_bytes_per_s", "throughput", kHigh, 0.03},
    {"p50_us", "latency p50", kLow, 0.05, 5, true},
    {"p90_us", "latency p90", kLow, 0.08, 10, true},
    {"p99_us", "latency p99", kLow, 0.10, 20, true},
    {"p999_us", "latency p99.9", kLow, 0.20, 50, true},
    {"max_us", "latency, slowest", kLow, 0.50, 500, true},
    {"mean_us", "latency, mean", kLow, 0.05, 5, true},
    {"rss_bytes", "memory at rest", kLow, 0.03, 131072},
    {"rss_peak_bytes", "memory at most", kLow, 0.05, 131072},
    {"memory_per_connection_bytes", "memory per idle connection", kLow, 0.03, 32},
    {"kernel_memory_per_connection_bytes", "kernel memory per idle connection", kLow, 0.05, 64},
    {"requests", "requests", kNone, 0.03},
    {"connections", "connections", kNone, 0.03},
    {"failed", "failed requests", kLow, 0.10, 0.5},
    {"late", "requests sent late by the load itself", kLow, 0.10, 0.5},
    {"before_p50_us", "before the outage, p50", kLow, 0.10, 10},
    {"before_p99_us", "before the outage, p99", kLow, 0.20, 50},
    {"outage_p50_us", "in the outage, p50", kLow, 0.10, 10},
    {"outage_p99_us", "in the outage, p99", kLow, 0.20, 50},
    {"outage_max_us", "in the outage, slowest", kLow, 0.50, 500},
    {"imbalance_ratio", "imbalance (max/mean)", kLow, 0.05, 0.02},
    {"instances", "instances", kNone, 0.01},
    {"instances_reached", "instances with traffic", kHigh, 0.01},
    {"changes", "registry changes", kNone, 0.01},
    {"changes_missed", "changes without a request", kLow, 0.10, 0.5},
    {"retries", "tries after the first", kLow, 0.20, 5},
    {"requests_until_all", "requests until all had one", kLow, 0.30, 20},
    {"lookups_per_s", "lookups per second", kLow, 0.10, 0.5},
    {"questions_per_s", "DNS questions at registry", kLow, 0.10, 0.5},
});

bool ends(std::string_view key, std::string_view ending) {
  return key.ends_with(ending) && key.size() > ending.size();
}

struct Ending {
  std::string_view text;
  Unit unit;
  Better better;
};

constexpr auto kEndings = std::to_array<Ending>({
    {"_bytes_per_s", Unit::kBytesPerSecond, kHigh},
    {"_us", Unit::kMicroseconds, kLow},
    {"_ms", Unit::kMilliseconds, kLow},
    {"_bytes", Unit::kBytes, kLow},
    {"_per_s", Unit::kPerSecond, kHigh},
    {"_ratio", Unit::kRatio, kNone},
});

FigureInfo by_ending(std::string_view key) {
  FigureInfo info;
  for (const auto& ending : kEndings) {
    if (!ends(key, ending.text)) continue;
    info.unit = ending.unit;
    info.better = ending.better;
    key.remove_suffix(ending.text.size());
    break;
  }
  info.title = key;
  for (char& c : info.title) c = c == '_' ? ' ' : c;
  return info;
}

struct Stage {
  std::string_view key;
  std::string_view title;
  Better better;
};

/// Where a change of the registry shows. What the registry itself takes is nobody's merit.
constexpr auto kStages = std::to_array<Stage>({{"snapshot", "snapshot", kLow},
                                               {"first_request", "first request", kLow},
                                               {"last_request", "last request", kLow},
                                               {"answer", "registry's answer", kNone},
                                               {"accepted", "accepted", kNone}});
constexpr auto kStatistics =
    std::to_array<std::string_view>({"", "_p50", "_p90", "_p99", "_max", "_worst"});

/// `change_to_first_request_p99_ms`: any label, a stage, a statistic.
bool read_lag(std::string_view key, FigureInfo& info) {
  constexpr std::string_view kTo = "_to_";
  const auto to = key.find(kTo);
  if (!ends(key, "_ms") || to == std::string_view::npos) return false;
  auto rest = key.substr(to + kTo.size());
  rest.remove_suffix(3);
  for (std::size_t stage = 0; stage < kStages.size(); ++stage) {
    if (!rest.starts_with(kStages.at(stage).key)) continue;
    const auto statistic = rest.substr(kStages.at(stage).key.size());
    const auto* const found = std::ranges::find(kStatistics, statistic);
    if (found == kStatistics.end()) return false;
    info.title = fmt::format("{} to {}{}{}", key.substr(0, to), kStages.at(stage).title,
                             statistic.empty() ? "" : " ",
                             statistic.empty() ? statistic : statistic.substr(1));
    info.better = kStages.at(stage).better;
    const auto place = static_cast<int>(found - kStatistics.begin());
    constexpr int kMiddling = 2;  // up to p50
    info.noise = place < kMiddling ? 0.10 : 0.30;
    info.least = 2;
    info.rank = static_cast<int>(kKnown.size() + stage * kStatistics.size()) + place;
    return true;
  }
  return false;
}

Scale binary(double largest, std::string_view per) {
  constexpr double kKibi = 1024;
  if (largest >= kKibi * kKibi * kKibi * 4)
    return {kKibi * kKibi * kKibi, fmt::format("GiB{}", per)};
  if (largest >= kKibi * kKibi) return {kKibi * kKibi, fmt::format("MiB{}", per)};
  if (largest >= kKibi) return {kKibi, fmt::format("KiB{}", per)};
  return {1, fmt::format("B{}", per)};
}

}  // namespace

FigureInfo figure_info(std::string_view key) {
  auto info = by_ending(key);
  if (read_lag(key, info)) return info;
  for (std::size_t i = 0; i < kKnown.size(); ++i) {
    const auto& known = kKnown.at(i);
    if (known.key != key) continue;
    info.title = known.title;
    info.better = known.better;
    info.noise = known.noise;
    info.least = known.least;
    info.adds = known.adds;
    info.rank = static_cast<int>(i);
  }
  return info;
}

Scale scale_for(Unit unit, double largest) {
  constexpr double kThousand = 1000;
  constexpr double kMost = 999.5;
  largest = std::abs(largest);
  switch (unit) {
    case Unit::kMicroseconds:
      if (largest >= kMost * kThousand) return {kThousand * kThousand, "s"};
      return largest >= kMost ? Scale{kThousand, "ms"} : Scale{1, "us"};
    case Unit::kMilliseconds:
      if (largest >= kMost) return {kThousand, "s"};
      return largest < 1 && largest > 0 ? Scale{1 / kThousand, "us"} : Scale{1, "ms"};
    case Unit::kBytes: return binary(largest, "");
    case Unit::kBytesPerSecond: return binary(largest, "/s");
    case Unit::kPerSecond: return {1, "/s"};
    case Unit::kCount:
    case Unit::kRatio: break;
  }
  return {};
}

std::string number_text(double value, const Scale& scale) {
  const double shown = value / scale.divisor;
  const double size = std::abs(shown);
  if (!std::isfinite(shown)) return "-";
  if (scale.unit.empty() && size == std::floor(size) && size < 1e15)
    return fmt::format("{:.0f}", shown);
  if (size == 0) return "0";
  if (size >= 99.95) return fmt::format("{:.0f}", shown);
  if (size >= 9.995) return fmt::format("{:.1f}", shown);
  return fmt::format("{:.{}f}", shown, size >= 0.0995 ? 2 : 3);
}

std::string value_text(double value, const Scale& scale) {
  return number_text(value, scale) + scale.unit;
}

std::string value_text(double value, Unit unit) {
  return value_text(value, scale_for(unit, value));
}

std::string ratio_text(double ratio) {
  if (!std::isfinite(ratio)) return "-";
  if (ratio >= 99.5) return fmt::format("{:.0f}", ratio);
  return ratio >= 9.95 ? fmt::format("{:.1f}", ratio) : fmt::format("{:.2f}", ratio);
}

}  // namespace pilotfish::bench
