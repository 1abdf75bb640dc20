#pragma once

#include <array>

#include "metrics/store.hpp"

namespace pilotfish::metrics {

// Every family the program exports (docs/metrics.md). One table: the code takes its handles
// from here, docs/metrics.md is generated from it.

inline constexpr Family kUpstreamRequests{
    "pilotfish_upstream_requests_total",
    Type::kCounter,
    "Answered tries, by instance and status class (1xx to 5xx).",
    {"upstream", "instance", "code"}};
inline constexpr Family kUpstreamDuration{
    "pilotfish_upstream_request_duration_seconds",
    Type::kHistogram,
    "From the request's arrival to the end of its final answer.",
    {"upstream"}};
inline constexpr Family kUpstreamConnections{"pilotfish_upstream_connections_total",
                                             Type::kCounter,
                                             "Connections opened to an instance.",
                                             {"upstream", "instance"}};
inline constexpr Family kUpstreamConnectFailures{
    "pilotfish_upstream_connect_failures_total",
    Type::kCounter,
    "Connections that could not be opened. reason: refused, timeout, unreachable, no_descriptors, "
    "no_local_port, other.",
    {"upstream", "instance", "reason"}};
inline constexpr Family kUpstreamActive{"pilotfish_upstream_active",
                                        Type::kGauge,
                                        "Requests (http) or connections (tcp) running now.",
                                        {"upstream"}};
inline constexpr Family kUpstreamBytes{
    "pilotfish_upstream_bytes_total",
    Type::kCounter,
    "Bytes exchanged with the upstream. direction: sent, received.",
    {"upstream", "direction"}};
inline constexpr Family kUpstreamInstances{
    "pilotfish_upstream_instances",
    Type::kGauge,
    "Instances known. state: healthy, unhealthy, ejected, draining, absent.",
    {"upstream", "state"},
    Merge::kMax};
inline constexpr Family kUpstreamTier{"pilotfish_upstream_tier",
                                      Type::kGauge,
                                      "The tier that serves: 0 is the most preferred, -1 none.",
                                      {"upstream"},
                                      Merge::kMin};
inline constexpr Family kUpstreamTierChanges{"pilotfish_upstream_tier_changes_total",
                                             Type::kCounter,
                                             "Changes of the serving tier. reason: start, too_few, "
                                             "fail_back, best_of_bad, all_empty, recovered.",
                                             {"upstream", "reason"}};
inline constexpr Family kUpstreamRetries{
    "pilotfish_upstream_retries_total",
    Type::kCounter,
    "Tries after the first. reason: connect, reset, 502, 503, 504, reused.",
    {"upstream", "reason"}};
inline constexpr Family kUpstreamRetriesDenied{"pilotfish_upstream_retries_denied_total",
                                               Type::kCounter,
                                               "Retries that the budget did not allow.",
                                               {"upstream"}};
inline constexpr Family kUpstreamEjections{"pilotfish_upstream_ejections_total",
                                           Type::kCounter,
                                           "Ejections of an instance after consecutive failures.",
                                           {"upstream", "instance"}};
inline constexpr Family kUpstreamOverflow{
    "pilotfish_upstream_overflow_total",
    Type::kCounter,
    "Requests refused by limits. reason: pending, connections.",
    {"upstream", "reason"}};
inline constexpr Family kDownstreamRequests{
    "pilotfish_downstream_requests_total",
    Type::kCounter,
    "What the application got, our own answers included, by status class.",
    {"upstream", "code"}};
inline constexpr Family kDownstreamConnections{"pilotfish_downstream_connections",
                                               Type::kGauge,
                                               "Connections of the application open now.",
                                               {"upstream"}};
inline constexpr Family kLookups{"pilotfish_lookup_total",
                                 Type::kCounter,
                                 "Lookups of a name; with fresh: watch the answers of the watch, "
                                 "per tier. result: ok, nxdomain, empty, servfail, refused, "
                                 "unreachable, timeout, malformed.",
                                 {"upstream", "result"}};
inline constexpr Family kLookupDuration{"pilotfish_lookup_duration_seconds",
                                        Type::kHistogram,
                                        "From a lookup's question to its answer.",
                                        {"upstream"}};
inline constexpr Family kLookupAge{"pilotfish_lookup_age_seconds",
                                   Type::kGauge,
                                   "Age of the serving tier's answer.",
                                   {"upstream"},
                                   Merge::kMax};
inline constexpr Family kLookupTcp{
    "pilotfish_lookup_tcp_total", Type::kCounter, "Lookups that went over TCP.", {"upstream"}};
inline constexpr Family kLookupStaleServed{
    "pilotfish_lookup_stale_served_total",
    Type::kCounter,
    "Connections routed by the last good answer because the registry did not answer in time.",
    {"upstream"}};
inline constexpr Family kRegistrationUp{"pilotfish_registration_up",
                                        Type::kGauge,
                                        "1 while the service is registered, else 0.",
                                        {"service"},
                                        Merge::kMin};
inline constexpr Family kConfigReloads{"pilotfish_config_reloads_total",
                                       Type::kCounter,
                                       "Reloads. result: ok, invalid, failed.",
                                       {"result"}};
inline constexpr Family kBuildInfo{"pilotfish_build_info",
                                   Type::kGauge,
                                   "Always 1; the labels say what runs.",
                                   {"version", "commit", "compiler"},
                                   Merge::kMax};
inline constexpr Family kAccessLogDropped{
    "pilotfish_access_log_dropped_total",
    Type::kCounter,
    "Access log lines dropped because their sink was too slow or full.",
    {}};

inline constexpr std::array kFamilies{&kUpstreamRequests,
                                      &kUpstreamDuration,
                                      &kUpstreamConnections,
                                      &kUpstreamConnectFailures,
                                      &kUpstreamActive,
                                      &kUpstreamBytes,
                                      &kUpstreamInstances,
                                      &kUpstreamTier,
                                      &kUpstreamTierChanges,
                                      &kUpstreamRetries,
                                      &kUpstreamRetriesDenied,
                                      &kUpstreamEjections,
                                      &kUpstreamOverflow,
                                      &kDownstreamRequests,
                                      &kDownstreamConnections,
                                      &kLookups,
                                      &kLookupDuration,
                                      &kLookupAge,
                                      &kLookupTcp,
                                      &kLookupStaleServed,
                                      &kRegistrationUp,
                                      &kConfigReloads,
                                      &kBuildInfo,
                                      &kAccessLogDropped};

}  // namespace pilotfish::metrics
