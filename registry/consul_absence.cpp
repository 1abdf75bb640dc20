#include "registry/consul_absence.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/consul_listing.hpp"
#include "resolver/tier_match.hpp"

namespace pilotfish::registry {
namespace {

std::string quoted(const std::vector<std::string>& tags) {
  std::string out = tags.size() == 1 ? "tag " : "tags ";
  for (std::size_t i = 0; i < tags.size(); ++i) {
    out += (i == 0 ? "\"" : " + \"") + tags[i] + "\"";
  }
  return out;
}

std::string listed(const std::set<std::string>& tags) {
  constexpr std::size_t kShown = 10;
  std::string out;
  std::size_t count = 0;
  for (const auto& tag : tags) {
    if (++count > kShown) {
      return out + " and " + std::to_string(tags.size() - kShown) + " more";
    }
    out += (out.empty() ? "" : ", ") + tag;
  }
  return out;
}

/// " with tag "v4", without tag "canary" and with meta stage=prod", or nothing.
std::string condition(const resolver::ConsulTier& tier) {
  std::vector<std::string> parts;
  if (!tier.tags.empty()) {
    parts.push_back("with " + quoted(tier.tags));
  }
  if (!tier.without.empty()) {
    parts.push_back("without " + quoted(tier.without));
  }
  if (!tier.meta.empty()) {
    std::string meta;
    for (const auto& [key, value] : tier.meta) {
      meta += (meta.empty() ? "" : " + ") + key + "=" + value;
    }
    parts.push_back("with meta " + meta);
  }
  std::string out;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    out += (i == 0 ? " " : i + 1 == parts.size() ? " and " : ", ") + parts[i];
  }
  return out;
}

std::string explain_present(const std::vector<Presence>& present, const std::string& service,
                            const resolver::ConsulTier& tier) {
  using State = Presence::State;
  if (present.empty()) {
    return "unknown service \"" + service + "\"";
  }
  std::array<std::size_t, 4> states{};
  std::set<std::string> known;
  std::size_t count = 0;
  for (const auto& one : present) {
    known.insert(one.tags.begin(), one.tags.end());
    if (resolver::fits(tier, one.tags, one.meta)) {
      ++count;
      ++states.at(static_cast<std::size_t>(one.state));
    }
  }
  if (count == 0) {
    return "no instance" + condition(tier) +
           (known.empty() ? " (they have no tags)" : " (there are: " + listed(known) + ")");
  }
  const auto of = [&states](State state) { return states.at(static_cast<std::size_t>(state)); };
  if (const auto healthy = of(State::kHealthy); healthy != 0) {
    return "the agent's API has " + std::to_string(healthy) +
           (healthy == 1 ? " instance" : " instances") + condition(tier) +
           " not critical: DNS is behind, leaves out what is not passing (only_passing), or may "
           "not read the service (ACL)";
  }
  const auto all = count == 1
                       ? "the only instance" + condition(tier) + " is "
                       : "all " + std::to_string(count) + " instances" + condition(tier) + " are ";
  constexpr std::array<std::pair<State, const char*>, 3> kWords{
      {{State::kCritical, "critical"},
       {State::kMaintenance, "under maintenance"},
       {State::kUnusable, "without an IP address or a port"}}};
  std::string detail;
  for (const auto& [state, word] : kWords) {
    if (of(state) == count) {
      return all + word;
    }
    if (of(state) != 0) {
      detail += (detail.empty() ? "" : ", ") + std::to_string(of(state)) + " " + word;
    }
  }
  return "none of " + std::to_string(count) + " instances" + condition(tier) +
         " can be used: " + detail;
}

}  // namespace

net::Awaitable<Absence> ask_absence(net::Executor executor, ConsulHttp options,
                                    resolver::ConsulSource source, TimePoint deadline) {
  Absence out;
  const auto target = http::ClientTarget::parse(options.url);
  if (!target) {
    out.problem = options.url + ": not an address of an agent";
    co_return out;
  }
  auto request = consul_request(options, "GET", health_path(resolver::watch_key(source)));
  request.max_body = kMaxWatchBody;
  const auto result = co_await http::fetch(executor, *target, std::move(request), deadline);
  auto present = result.ok() ? decode_presence(result.body, kMaxWatchBody) : std::nullopt;
  if (!result.ok()) {
    out.problem = consul_problem(result, source.service, "service:read");
  } else if (!present) {
    out.problem = "the agent's answer is not understood";
  } else if (present->empty() &&
             (result.header("X-Consul-Results-Filtered-By-ACLs") == "true" ||
              (options.token.empty() && result.header("X-Consul-Default-Acl-Policy") == "deny"))) {
    out.problem = "it shows nothing without a token that has service:read for \"" + source.service +
                  "\" and node:read (CONSUL_HTTP_TOKEN)";
  } else {
    out.present = std::move(*present);
  }
  co_return out;
}

std::string explain(const Absence& absence, const resolver::ConsulSource& source,
                    const resolver::ConsulTier& tier) {
  if (!absence.problem.empty()) {
    return "the agent's API cannot tell why: " + absence.problem;
  }
  return explain_present(absence.present, source.service, tier);
}

}  // namespace pilotfish::registry
