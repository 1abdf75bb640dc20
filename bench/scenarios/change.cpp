#include "bench/scenarios/change.hpp"

#include <algorithm>
#include <cmath>

#include "bench/report/summary.hpp"

namespace pilotfish::bench {
namespace {

double milliseconds_of(Duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

std::optional<Duration> since(TimePoint start, const std::optional<TimePoint>& end) {
  if (!end) return std::nullopt;
  return *end - start;
}

/// When the port's requests stop to count for the change at `index`.
TimePoint end_of(const std::vector<RegistryChange>& changes, std::size_t index,
                 std::uint16_t port) {
  for (std::size_t i = index + 1; i < changes.size(); ++i) {
    if (changes[i].joining.contains(port) || changes[i].leaving.contains(port)) {
      return changes[i].changed;
    }
  }
  return TimePoint::max();
}

using Times = std::map<std::uint16_t, std::vector<TimePoint>>;

void add(std::map<std::string, double>& figures, const std::string& key,
         const std::vector<double>& values, bool percentiles) {
  if (values.empty()) return;
  figures[key + "_ms"] = median_of(values);
  if (!percentiles) {
    figures[key + "_worst_ms"] = *std::max_element(values.begin(), values.end());
    return;
  }
  figures[key + "_p50_ms"] = quantile(values, 0.5);
  figures[key + "_p99_ms"] = quantile(values, 0.99);
  figures[key + "_max_ms"] = quantile(values, 1);
}

}  // namespace

bool shows(const PortSet& now, const PortSet& present, const PortSet& absent) {
  const auto is_there = [&](std::uint16_t port) { return now.contains(port); };
  return (!present.empty() || !absent.empty()) &&
         std::all_of(present.begin(), present.end(), is_there) &&
         std::none_of(absent.begin(), absent.end(), is_there);
}

std::vector<Lag> measure_lags(const std::vector<RegistryChange>& changes,
                              std::vector<Arrival> arrivals) {
  std::sort(arrivals.begin(), arrivals.end(),
            [](const Arrival& a, const Arrival& b) { return a.at < b.at; });
  Times times;
  for (const auto& arrival : arrivals) times[arrival.port].push_back(arrival.at);

  std::vector<Lag> lags;
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& change = changes[i];
    Lag lag;
    lag.label = change.label;
    lag.accepted = since(change.changed, change.accepted);
    lag.answer = since(change.changed, change.answer);
    lag.snapshot = since(change.changed, change.snapshot);
    lag.request_due = !change.joining.empty();
    for (const auto port : change.joining) {
      const auto& own = times[port];
      const auto first = std::lower_bound(own.begin(), own.end(), change.changed);
      if (first == own.end() || *first >= end_of(changes, i, port)) continue;
      const auto lasted = *first - change.changed;
      lag.first_request = std::min(lag.first_request.value_or(lasted), lasted);
    }
    for (const auto port : change.leaving) {
      const auto& own = times[port];
      auto last = std::lower_bound(own.begin(), own.end(), end_of(changes, i, port));
      const bool any = last != own.begin() && *--last > change.changed;
      const auto lasted = any ? *last - change.changed : Duration::zero();
      lag.last_request = std::max(lag.last_request.value_or(lasted), lasted);
    }
    lags.push_back(std::move(lag));
  }
  return lags;
}

std::map<std::string, double> lag_figures(const std::vector<Lag>& lags, bool percentiles) {
  std::map<std::string, double> figures;
  std::map<std::string, std::vector<double>> values;
  figures["changes"] = static_cast<double>(lags.size());
  auto& missed = figures["changes_missed"];
  for (const auto& lag : lags) {
    const auto keep = [&](const char* what, const std::optional<Duration>& lasted) {
      if (lasted) values[lag.label + what].push_back(milliseconds_of(*lasted));
    };
    keep("_to_accepted", lag.accepted);
    keep("_to_answer", lag.answer);
    keep("_to_snapshot", lag.snapshot);
    keep("_to_first_request", lag.first_request);
    keep("_to_last_request", lag.last_request);
    if (lag.request_due && !lag.first_request) ++missed;
  }
  for (const auto& [key, several] : values) {
    if (key.ends_with("_accepted")) {
      figures[key + "_ms"] = median_of(several);
    } else {
      add(figures, key, several, percentiles);
    }
  }
  return figures;
}

double quantile(std::vector<double> values, double fraction) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto rank = std::ceil(fraction * static_cast<double>(values.size()));
  return values[static_cast<std::size_t>(std::max(rank, 1.0)) - 1];
}

}  // namespace pilotfish::bench
