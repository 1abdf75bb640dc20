#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>

#include "balancer/cluster.hpp"
#include "balancer/retry.hpp"
#include "core/tier_answer.hpp"
#include "metrics/store.hpp"

namespace pilotfish::proxy {

/// Why a connection could not be opened; the `reason` label of `upstream_connect_failures_total`.
enum class ConnectFailure : std::uint8_t {
  kRefused,
  kTimeout,
  kUnreachable,
  kNoDescriptors,
  kNoLocalPort,
  kOther
};
inline constexpr std::size_t kConnectFailureCount = 6;
[[nodiscard]] std::string_view to_string(ConnectFailure reason);

/// A counter whose series appears with its first increment, so that no empty series is exported.
class LazyCounter {
 public:
  void add(metrics::Store& store, const metrics::Family& family,
           std::initializer_list<std::string_view> labels,
           metrics::Owner owner = metrics::Owner::kStays) {
    if (!counter_) {
      counter_ = store.counter(family, {labels.begin(), labels.end()}, owner);
    }
    counter_->add();
  }
  [[nodiscard]] bool used() const { return counter_ != nullptr; }

 private:
  std::shared_ptr<metrics::Counter> counter_;
};

/// Handles of one instance. Default-constructed parts count nothing until used.
struct InstanceMetrics {
  std::array<LazyCounter, 5> requests;  ///< 1xx..5xx
  LazyCounter connections;
  std::array<LazyCounter, kConnectFailureCount> connect_failures;
  LazyCounter ejections;

  /// It has a series, so that one must go when it goes.
  [[nodiscard]] bool used() const {
    const auto one = [](const LazyCounter& counter) { return counter.used(); };
    return connections.used() || ejections.used() || std::ranges::any_of(requests, one) ||
           std::ranges::any_of(connect_failures, one);
  }
};

/// All counters of one upstream in one worker, with the labels bound. One writer: the worker.
class UpstreamMetrics {
 public:
  UpstreamMetrics(metrics::Store& store, std::string upstream);

  void answered(balancer::InstanceState& instance, int status);
  void connected(balancer::InstanceState& instance);
  void connect_failed(balancer::InstanceState& instance, ConnectFailure reason);
  void ejected(balancer::InstanceState& instance);
  void instance_left(const balancer::InstanceState& instance, TimePoint now);
  void downstream_answer(int status);
  void final_answer(Duration took) { duration_->observe(took); }
  void sent(std::uint64_t bytes) { sent_->add(bytes); }
  void received(std::uint64_t bytes) { received_->add(bytes); }
  void retried(balancer::RetryCause cause);
  void retry_denied();
  void overflow(std::string_view reason);
  void tier_changed(balancer::TierReason reason);
  void looked_up(const NameAnswer& answer);
  void stale_served();

  struct Gauges {
    double active = 0, tier = -1, age_seconds = 0, connections = 0;
    std::array<double, 5> instances{};  ///< healthy, unhealthy, ejected, draining, absent
  };
  void set_gauges(const Gauges& gauges);

 private:
  metrics::Store& store_;
  std::string upstream_;
  std::shared_ptr<metrics::Histogram> duration_;
  std::shared_ptr<metrics::Histogram> lookup_duration_;
  std::shared_ptr<metrics::Counter> sent_;
  std::shared_ptr<metrics::Counter> received_;
  std::shared_ptr<metrics::Counter> denied_;
  std::shared_ptr<metrics::Counter> stale_;
  std::shared_ptr<metrics::Counter> lookup_tcp_;
  std::shared_ptr<metrics::Gauge> active_;
  std::shared_ptr<metrics::Gauge> tier_;
  std::shared_ptr<metrics::Gauge> age_;
  std::shared_ptr<metrics::Gauge> connections_;
  std::array<std::shared_ptr<metrics::Gauge>, 5> instances_;
  std::array<LazyCounter, 5> downstream_;
  std::array<LazyCounter, balancer::kRetryCauseCount> retries_;
  std::array<LazyCounter, balancer::kTierReasonCount> tier_changes_;
  std::array<LazyCounter, kLookupResultCount> lookups_;
  LazyCounter overflow_pending_;
  LazyCounter overflow_connections_;
};

}  // namespace pilotfish::proxy
