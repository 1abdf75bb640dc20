#include "proxy/upstream_metrics.hpp"

#include <algorithm>

#include "metrics/families.hpp"
#include "proxy/connection.hpp"

namespace pilotfish::proxy {
namespace {

constexpr std::array<std::string_view, 5> kClasses{"1xx", "2xx", "3xx", "4xx", "5xx"};

std::size_t class_of(int status) {
  return static_cast<std::size_t>(std::clamp(status / 100, 1, 5) - 1);
}

/// What still runs on an instance that left the answer is counted, and keeps nothing.
metrics::Owner owner_of(const balancer::InstanceState& instance) {
  return instance.tier < 0 ? metrics::Owner::kLeft : metrics::Owner::kStays;
}

}  // namespace

std::string_view to_string(ConnectFailure reason) {
  switch (reason) {
    case ConnectFailure::kRefused: return "refused";
    case ConnectFailure::kTimeout: return "timeout";
    case ConnectFailure::kUnreachable: return "unreachable";
    case ConnectFailure::kNoDescriptors: return "no_descriptors";
    case ConnectFailure::kNoLocalPort: return "no_local_port";
    case ConnectFailure::kOther: return "other";
  }
  return "other";
}

UpstreamMetrics::UpstreamMetrics(metrics::Store& store, std::string upstream)
    : store_(store), upstream_(std::move(upstream)) {
  duration_ = store_.histogram(metrics::kUpstreamDuration, {upstream_});
  lookup_duration_ = store_.histogram(metrics::kLookupDuration, {upstream_});
  sent_ = store_.counter(metrics::kUpstreamBytes, {upstream_, "sent"});
  received_ = store_.counter(metrics::kUpstreamBytes, {upstream_, "received"});
  denied_ = store_.counter(metrics::kUpstreamRetriesDenied, {upstream_});
  stale_ = store_.counter(metrics::kLookupStaleServed, {upstream_});
  lookup_tcp_ = store_.counter(metrics::kLookupTcp, {upstream_});
  active_ = store_.gauge(metrics::kUpstreamActive, {upstream_});
  tier_ = store_.gauge(metrics::kUpstreamTier, {upstream_});
  tier_->set(-1);
  age_ = store_.gauge(metrics::kLookupAge, {upstream_});
  connections_ = store_.gauge(metrics::kDownstreamConnections, {upstream_});
  constexpr std::array<const char*, 5> kStates{"healthy", "unhealthy", "ejected", "draining",
                                               "absent"};
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    instances_[i] = store_.gauge(metrics::kUpstreamInstances, {upstream_, kStates[i]});
  }
}

void UpstreamMetrics::answered(balancer::InstanceState& instance, int status) {
  const auto index = class_of(status);
  link_of(instance).metrics.requests[index].add(store_, metrics::kUpstreamRequests,
                                                {upstream_, instance.name, kClasses[index]},
                                                owner_of(instance));
}

void UpstreamMetrics::connected(balancer::InstanceState& instance) {
  link_of(instance).metrics.connections.add(store_, metrics::kUpstreamConnections,
                                            {upstream_, instance.name}, owner_of(instance));
}

void UpstreamMetrics::connect_failed(balancer::InstanceState& instance, ConnectFailure reason) {
  link_of(instance).metrics.connect_failures[static_cast<std::size_t>(reason)].add(
      store_, metrics::kUpstreamConnectFailures, {upstream_, instance.name, to_string(reason)},
      owner_of(instance));
}

void UpstreamMetrics::ejected(balancer::InstanceState& instance) {
  link_of(instance).metrics.ejections.add(store_, metrics::kUpstreamEjections,
                                          {upstream_, instance.name}, owner_of(instance));
}

void UpstreamMetrics::instance_left(const balancer::InstanceState& instance, TimePoint now) {
  const auto& link = static_cast<const InstanceLink&>(*instance.attachment);
  if (link.metrics.used()) {
    store_.retire_instance(upstream_, instance.name, now);
  }
}

void UpstreamMetrics::downstream_answer(int status) {
  const auto index = class_of(status);
  downstream_[index].add(store_, metrics::kDownstreamRequests, {upstream_, kClasses[index]});
}

void UpstreamMetrics::retried(balancer::RetryCause cause) {
  retries_[static_cast<std::size_t>(cause)].add(store_, metrics::kUpstreamRetries,
                                                {upstream_, to_string(cause)});
}

void UpstreamMetrics::retry_denied() {
  denied_->add();
}

void UpstreamMetrics::overflow(std::string_view reason) {
  auto& counter = reason == "pending" ? overflow_pending_ : overflow_connections_;
  counter.add(store_, metrics::kUpstreamOverflow, {upstream_, reason});
}

void UpstreamMetrics::tier_changed(balancer::TierReason reason) {
  tier_changes_[static_cast<std::size_t>(reason)].add(store_, metrics::kUpstreamTierChanges,
                                                      {upstream_, to_string(reason)});
}

void UpstreamMetrics::looked_up(const NameAnswer& answer) {
  lookups_[static_cast<std::size_t>(answer.result)].add(store_, metrics::kLookups,
                                                        {upstream_, to_string(answer.result)});
  if (answer.transport == Transport::kWatch) {
    return;  // it waited for news, not for an answer
  }
  lookup_duration_->observe(answer.took);
  if (answer.transport == Transport::kTcp || answer.transport == Transport::kApi) {
    lookup_tcp_->add();
  }
}

void UpstreamMetrics::stale_served() {
  stale_->add();
}

void UpstreamMetrics::set_gauges(const Gauges& gauges) {
  active_->set(gauges.active);
  tier_->set(gauges.tier);
  age_->set(gauges.age_seconds);
  connections_->set(gauges.connections);
  for (std::size_t i = 0; i < instances_.size(); ++i) {
    instances_[i]->set(gauges.instances[i]);
  }
}

}  // namespace pilotfish::proxy
