#include "registry/consul_listing.hpp"

#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/consul_settings.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {
namespace {

std::string advice(const resolver::WatchKey& key) {
  return "set a token with service:read for \"" + key.service +
         "\" and node:read (CONSUL_HTTP_TOKEN or CONSUL_HTTP_TOKEN_FILE)";
}

}  // namespace

std::string health_path(const resolver::WatchKey& key) {
  auto path = "/v1/health/service/" + percent_encode(key.service) + "?stale";
  return key.datacenter.empty() ? path : path + "&dc=" + percent_encode(key.datacenter);
}

std::string skipped_text(std::size_t count) {
  return std::to_string(count) + " instances skipped: no address or no port";
}

std::string named_text(std::size_t count) {
  return std::to_string(count) + " instances have a host name as address, which DNS resolves";
}

ListingJudgement judge_listing(const http::ClientResult& result, const resolver::WatchKey& key,
                               bool has_token, bool only_passing) {
  ListingJudgement out;
  if (!result.ok()) {
    out.failure = consul_failure(result);
    out.problem = consul_problem(result, key.service, "service:read");
    return out;
  }
  if (result.header("X-Consul-Results-Filtered-By-ACLs") == "true") {
    out.failure = LookupResult::kRefused;
    out.problem = "the agent left instances out: " + advice(key);
    return out;
  }
  auto listing = decode_health(result.body, kMaxWatchBody, only_passing);
  if (!listing) {
    out.problem = "the agent's answer is not understood: " + shorten(result.body.substr(0, 80));
  } else if (listing->instances.empty() && listing->skipped != 0 && listing->named == 0) {
    out.problem =
        "none of " + std::to_string(listing->skipped) + " instances has an IP address and a port";
  } else if (listing->instances.empty() && !has_token &&
             result.header("X-Consul-Default-Acl-Policy") == "deny") {
    // Strangers are not told what is kept from them. DNS knows, as it may use the agent's token.
    out.failure = LookupResult::kRefused;
    out.problem = "the agent lists nothing, and lets nobody read without a token: " + advice(key);
  } else {
    out.listing = std::move(listing);
  }
  return out;
}

net::Awaitable<resolver::WatchStatePtr> ask_watch_state(net::Executor executor, ConsulHttp options,
                                                        resolver::WatchKey key,
                                                        TimePoint deadline) {
  auto state = std::make_shared<resolver::WatchState>();
  const auto target = http::ClientTarget::parse(options.url);
  if (!target) {
    state->failure = LookupResult::kUnreachable;
    state->problem = options.url + ": not an address of an agent";
    state->answered = Clock::now();
    co_return state;
  }
  if (!options.only_passing) {
    const auto said = co_await ask_only_passing(executor, options, *target, nullptr, deadline);
    options.only_passing = said.value.value_or(false);
  }
  state->asked = Clock::now();
  auto request = consul_request(options, "GET", health_path(key));
  request.max_body = kMaxWatchBody;
  const auto result = co_await http::fetch(executor, *target, std::move(request), deadline);
  state->answered = Clock::now();
  state->took = state->answered - state->asked;
  auto judged = judge_listing(result, key, !options.token.empty(), *options.only_passing);
  if (!judged.listing) {
    state->failure = judged.failure;
    state->problem = std::move(judged.problem);
    co_return state;
  }
  auto& listing = *judged.listing;
  if (listing.named != 0) {
    state->left_to_dns = true;
    state->problem = named_text(listing.named);
    co_return state;
  }
  state->up = true;
  state->note = listing.skipped == 0 ? "" : skipped_text(listing.skipped);
  state->instances = std::make_shared<const InstanceList>(std::move(listing.instances));
  state->details =
      std::make_shared<const std::vector<resolver::InstanceDetail>>(std::move(listing.details));
  co_return state;
}

}  // namespace pilotfish::registry
