#pragma once

#include <vector>

#include "config/field_table.hpp"
#include "config/root_options.hpp"

namespace pilotfish::config {

// The field tables of every options struct; together they are the configuration's schema.

[[nodiscard]] FieldTable<RootOptions> root_table();
[[nodiscard]] Codec<std::vector<proxy::UpstreamOptions>> upstreams_codec();
[[nodiscard]] Codec<std::vector<registry::Announcement>> announcements_codec();

// Parts of an upstream.
[[nodiscard]] FieldTable<resolver::LookupOptions> lookup_table();
[[nodiscard]] FieldTable<balancer::FallbackOptions> fallback_table();
[[nodiscard]] FieldTable<proxy::Timeouts> timeouts_table();
[[nodiscard]] FieldTable<balancer::RetryOptions> retry_table();
[[nodiscard]] FieldTable<balancer::EjectOptions> eject_table();
[[nodiscard]] FieldTable<balancer::LimitOptions> limits_table();

// Where an upstream's instances come from, in the shape of the file.
struct ConsulTarget {
  std::string service;
  std::string datacenter;
};
[[nodiscard]] Codec<ConsulTarget> consul_target();  ///< NAME, or {service, datacenter}
[[nodiscard]] Codec<std::vector<std::string>> srv_names();
[[nodiscard]] Codec<InstanceList> static_instances();

/// Rules that span entries: addresses taken twice, what `self: true` needs, DNS names too long.
/// `root` is the tree that `options` was read from. Reports only about entries that were read.
void check_rules(const Scope& scope, const Node& root, const RootOptions& options);

}  // namespace pilotfish::config
