#pragma once

#include <string>
#include <vector>

#include "config/root_options.hpp"
#include "core/tier_answer.hpp"
#include "net/asio.hpp"
#include "registry/consul_absence.hpp"

namespace pilotfish::app {

/// Whether DNS denies this tier (no such name, or no instance): for what reason, it cannot say.
[[nodiscard]] bool is_denied(const TierAnswer& answer);

/// Why a lookup failed, for people: `127.0.0.1:8600 (Consul DNS) refuses connections`. Pure.
[[nodiscard]] std::string explain_failure(const proxy::UpstreamOptions& upstream,
                                          const resolver::ConsulDns& consul, LookupResult result);

/// Why tiers have no instance, by the newest answer of each: for those that DNS denies the agent's
/// API is asked (`consul:` alone), once; for those whose lookup failed the server is named. Each
/// cause is said once. With several tiers each is named: `v9: no instance with tag "v9" (there are:
/// v3, v4)`. Empty where there is nothing to say. Does not throw.
[[nodiscard]] net::Awaitable<std::string> find_causes(
    net::Executor executor, registry::ConsulHttp agent, resolver::ConsulDns consul,
    proxy::UpstreamOptions upstream, std::vector<TierAnswer> answers, TimePoint deadline);

}  // namespace pilotfish::app
