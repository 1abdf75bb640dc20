#include "registry/consul_absence.hpp"

#include <array>
#include <cstdint>
#include <set>
#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/consul_watcher.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry {
namespace {

std::string counted(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " instance" : " instances");
}

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

std::string explain_present(const std::vector<Presence>& present, const std::string& service,
                            const std::vector<std::string>& tags) {
  using State = Presence::State;
  if (present.empty()) {
    return "unknown service: Consul knows no instance of \"" + service + "\"";
  }
  std::array<std::size_t, 4> states{};
  std::set<std::string> known;
  std::size_t tagged = 0;
  for (const auto& one : present) {
    known.insert(one.tags.begin(), one.tags.end());
    if (has_tags(one.tags, tags)) {
      ++tagged;
      ++states.at(static_cast<std::size_t>(one.state));
    }
  }
  const auto with = tags.empty() ? "" : " with " + quoted(tags);
  if (tagged == 0) {
    return "unknown tag: none of " + counted(present.size()) + " of \"" + service + "\" has " +
           quoted(tags) +
           (known.empty() ? "; they have no tags" : "; their tags: " + listed(known));
  }
  const auto of = [&states](State state) { return states.at(static_cast<std::size_t>(state)); };
  if (const auto healthy = of(State::kHealthy); healthy != 0) {
    return "the agent's API has " + counted(healthy) + with +
           " that is not critical: DNS is behind, " +
           "leaves out what is not passing (only_passing), or may not read the service (ACL)";
  }
  std::string detail;
  const auto add = [&](State state, const char* text) {
    if (of(state) != 0) {
      detail += (detail.empty() ? "" : ", ") + std::to_string(of(state)) + text;
    }
  };
  add(State::kCritical, " critical");
  add(State::kMaintenance, " under maintenance");
  add(State::kUnusable, " without an IP address or a port");
  return (of(State::kUnusable) == 0 ? "all critical: " : "none usable: ") + counted(tagged) + with +
         ": " + detail;
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
  auto path = "/v1/health/service/" + percent_encode(source.service) + "?stale";
  if (!source.datacenter.empty()) {
    path += "&dc=" + percent_encode(source.datacenter);
  }
  auto request = consul_request(options, "GET", std::move(path));
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
                    const std::vector<std::string>& tags) {
  if (!absence.problem.empty()) {
    return "the agent's API cannot tell why: " + absence.problem;
  }
  return explain_present(absence.present, source.service, tags);
}

}  // namespace pilotfish::registry
