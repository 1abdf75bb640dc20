#include <algorithm>
#include <array>
#include <map>
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <string>
#include <utility>
#include <vector>

#include "metrics/families.hpp"
#include "metrics/process_stats.hpp"
#include "metrics/store_impl.hpp"

namespace pilotfish::metrics {
namespace {

/// One series over all stores.
struct Merged {
  double value = 0;
  std::array<std::uint64_t, Histogram::kBounds.size() + 1> buckets{};
  double sum_seconds = 0;
  bool seen = false;
};

void merge_value(Merged& into, double value, Merge how) {
  if (!into.seen) {
    into.value = value;
  } else if (how == Merge::kMax) {
    into.value = std::max(into.value, value);
  } else if (how == Merge::kMin) {
    into.value = std::min(into.value, value);
  } else {
    into.value += value;
  }
  into.seen = true;
}

struct Merger {
  Merged& into;
  Merge how;
  void operator()(const std::shared_ptr<Counter>& counter) const {
    merge_value(into, static_cast<double>(counter->value()), how);
  }
  void operator()(const std::shared_ptr<Gauge>& gauge) const {
    merge_value(into, gauge->value(), how);
  }
  void operator()(const std::shared_ptr<Histogram>& histogram) const {
    for (std::size_t i = 0; i < into.buckets.size(); ++i) {
      into.buckets[i] += histogram->bucket(i);
    }
    into.sum_seconds += histogram->sum_seconds();
  }
};

prometheus::MetricType type_of(Type type) {
  switch (type) {
    case Type::kCounter: return prometheus::MetricType::Counter;
    case Type::kGauge: return prometheus::MetricType::Gauge;
    case Type::kHistogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric to_metric(const Family& family, const LabelValues& labels,
                                   const Merged& merged) {
  prometheus::ClientMetric metric;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    metric.label.push_back({std::string(family.labels[i]), labels[i]});
  }
  if (family.type == Type::kHistogram) {
    // The count is the buckets' own sum, so that a scrape in the middle of an update stays whole.
    std::uint64_t cumulative = 0;
    for (std::size_t i = 0; i < Histogram::kBounds.size(); ++i) {
      cumulative += merged.buckets[i];
      metric.histogram.bucket.push_back({cumulative, Histogram::kBounds[i]});
    }
    metric.histogram.sample_count = cumulative + merged.buckets.back();
    metric.histogram.sample_sum = merged.sum_seconds;
  } else if (family.type == Type::kCounter) {
    metric.counter.value = merged.value;
  } else {
    metric.gauge.value = merged.value;
  }
  return metric;
}

void add_process(std::vector<prometheus::MetricFamily>& out) {
  const ProcessStats stats = read_process_stats();
  const auto add = [&out](const char* name, const char* help, prometheus::MetricType type,
                          std::optional<double> value) {
    if (value) {
      prometheus::ClientMetric metric;
      metric.counter.value = *value;
      metric.gauge.value = *value;
      out.push_back({name, help, type, {metric}});
    }
  };
  using prometheus::MetricType;
  add("process_cpu_seconds_total", "User and system CPU time spent.", MetricType::Counter,
      stats.cpu_seconds);
  add("process_resident_memory_bytes", "Resident memory.", MetricType::Gauge, stats.resident_bytes);
  add("process_virtual_memory_bytes", "Virtual memory.", MetricType::Gauge, stats.virtual_bytes);
  add("process_open_fds", "Open file descriptors.", MetricType::Gauge, stats.open_descriptors);
  add("process_max_fds", "Most file descriptors that may be open.", MetricType::Gauge,
      stats.max_descriptors);
  add("process_start_time_seconds", "Start of the process, in seconds since the epoch.",
      MetricType::Gauge, stats.start_time_seconds);
}

}  // namespace

std::string expose(std::span<Store* const> stores, TimePoint now) {
  struct Rows {
    const Family* family = nullptr;
    std::map<LabelValues, Merged> series;
  };
  std::map<std::string_view, Rows> families;
  for (Store* store : stores) {
    for (const SeriesView& view : store->impl().read(now)) {
      Rows& rows = families[view.family->name];
      rows.family = view.family;
      std::visit(Merger{rows.series[view.labels], view.family->merge}, view.instrument);
    }
  }
  std::vector<prometheus::MetricFamily> out;
  for (const auto& [name, rows] : families) {
    // Families without a series are left out: nothing about them is known yet.
    auto& family = out.emplace_back();
    family.name = std::string(name);
    family.help = std::string(rows.family->help);
    family.type = type_of(rows.family->type);
    for (const auto& [labels, merged] : rows.series) {
      family.metric.push_back(to_metric(*rows.family, labels, merged));
    }
  }
  add_process(out);
  return prometheus::TextSerializer().Serialize(out);
}

}  // namespace pilotfish::metrics
