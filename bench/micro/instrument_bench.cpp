// Metrics as a request updates them, and the harness's own histogram.
#include <benchmark/benchmark.h>

#include "bench/harness/histogram.hpp"
#include "bench/micro/groups.hpp"
#include "core/random.hpp"
#include "metrics/families.hpp"
#include "metrics/store.hpp"

namespace pilotfish::micro {
namespace {

/// Latencies around a millisecond with a long tail, drawn before the clock runs.
std::vector<Duration> latencies() {
  Random random(1);
  std::vector<Duration> out;
  for (int i = 0; i < 1024; ++i) {
    const auto tail = random.below(100) == 0 ? 100'000'000ULL : 2'000'000ULL;
    out.emplace_back(static_cast<Duration::rep>(random.below(tail)));
  }
  return out;
}

void counter(benchmark::State& state) {
  metrics::Store store;
  const auto handle = store.counter(metrics::kUpstreamRequests, {"billing", "10.0.0.1:80", "2xx"});
  for (auto _ : state) {
    handle->add();
  }
  benchmark::DoNotOptimize(handle->value());
}

void gauge(benchmark::State& state) {
  metrics::Store store;
  const auto handle = store.gauge(metrics::kUpstreamActive, {"billing"});
  for (auto _ : state) {
    handle->add(1);
  }
  benchmark::DoNotOptimize(handle->value());
}

void histogram(benchmark::State& state) {
  metrics::Store store;
  const auto handle = store.histogram(metrics::kUpstreamDuration, {"billing"});
  const auto values = latencies();
  std::size_t next = 0;
  for (auto _ : state) {
    handle->observe(values[next++ % values.size()]);
  }
  benchmark::DoNotOptimize(handle->sum_seconds());
}

/// A series that is there already, by its labels: what a handle saves.
void series_by_labels(benchmark::State& state) {
  metrics::Store store;
  for (auto _ : state) {
    benchmark::DoNotOptimize(
        store.counter(metrics::kUpstreamRequests, {"billing", "10.0.0.1:80", "2xx"}));
  }
}

void scrape(benchmark::State& state) {
  metrics::Store store;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    store.counter(metrics::kUpstreamRequests, {"billing", std::to_string(i) + ":80", "2xx"})->add();
  }
  std::array<metrics::Store*, 1> stores{&store};
  for (auto _ : state) {
    benchmark::DoNotOptimize(metrics::expose(stores, TimePoint{std::chrono::hours(1)}));
  }
}

void harness_histogram(benchmark::State& state) {
  bench::LatencyHistogram histogram;
  const auto values = latencies();
  std::size_t next = 0;
  for (auto _ : state) {
    histogram.record(values[next++ % values.size()]);
  }
  benchmark::DoNotOptimize(histogram.count());
}

}  // namespace

void register_instruments() {
  benchmark::RegisterBenchmark("counter_add", counter);
  benchmark::RegisterBenchmark("gauge_add", gauge);
  benchmark::RegisterBenchmark("histogram_observe", histogram);
  benchmark::RegisterBenchmark("series_by_labels", series_by_labels);
  benchmark::RegisterBenchmark("scrape", scrape)->Arg(3)->Arg(100)->Arg(10000);
  benchmark::RegisterBenchmark("harness_histogram_record", harness_histogram);
}

}  // namespace pilotfish::micro
