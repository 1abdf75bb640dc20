#include "app/causes.hpp"

#include <algorithm>
#include <map>
#include <utility>
#include <variant>

#include "proxy/selection.hpp"

namespace pilotfish::app {
namespace {

std::string servers_text(const std::vector<Endpoint>& servers) {
  std::string out;
  for (const auto& server : servers) {
    out += (out.empty() ? "" : ", ") + server.to_string();
  }
  return out.empty() ? "the system's name server" : out + " (DNS)";
}

struct ServerText {
  std::string operator()(const resolver::ConsulSource& /*source*/) const {
    return consul.server.to_string() + " (Consul DNS)";
  }
  std::string operator()(const resolver::StaticSource& /*source*/) const { return ""; }
  template <class Source>
  std::string operator()(const Source& source) const {
    return servers_text(source.servers);
  }
  const resolver::ConsulDns& consul;
};

}  // namespace

bool is_denied(const TierAnswer& answer) {
  return answer.answered != TimePoint{} && answer.instances.empty() && !is_failure(answer.result);
}

std::string explain_failure(const proxy::UpstreamOptions& upstream,
                            const resolver::ConsulDns& consul, LookupResult result) {
  const auto server = std::visit(ServerText{consul}, upstream.source);
  switch (result) {
    case LookupResult::kUnreachable: return server + " refuses connections";
    case LookupResult::kTimeout: return server + " does not answer";
    case LookupResult::kServfail: return server + " answers SERVFAIL";
    case LookupResult::kRefused: return server + " answers REFUSED";
    case LookupResult::kMalformed: return server + " answers what is no DNS";
    default: return "";
  }
}

namespace {

/// Where every name was answered, and the tier is unknown all the same, the note says why.
std::string failure_of(const proxy::UpstreamOptions& upstream, const resolver::ConsulDns& consul,
                       const TierAnswer& answer) {
  const bool of_a_name = std::ranges::any_of(
      answer.names, [](const NameAnswer& name) { return is_failure(name.result); });
  return of_a_name || answer.names.empty() || answer.names.front().note.empty()
             ? explain_failure(upstream, consul, answer.result)
             : answer.names.front().note;
}

}  // namespace

net::Awaitable<std::string> find_causes(net::Executor executor, registry::ConsulHttp agent,
                                        resolver::ConsulDns consul, proxy::UpstreamOptions upstream,
                                        std::vector<TierAnswer> answers, TimePoint deadline) {
  const auto asked = proxy::asked_source(upstream.source, upstream.cluster.split);
  const auto* source = std::get_if<resolver::ConsulSource>(&asked);
  const auto names = proxy::tier_names(upstream.source, upstream.cluster.split);
  std::map<std::string, registry::Absence> known;  // by datacenter
  std::string out;
  std::string said;
  for (std::size_t tier = 0; tier < answers.size() && tier < names.size(); ++tier) {
    const auto& answer = answers[tier];
    std::string why;
    if (answer.answered != TimePoint{} && is_failure(answer.result)) {
      why = failure_of(upstream, consul, answer);
    } else if (source != nullptr && is_denied(answer) && tier < source->tiers.size()) {
      auto where = *source;
      if (!source->tiers[tier].datacenter.empty()) {
        where.datacenter = source->tiers[tier].datacenter;
      }
      auto found = known.find(where.datacenter);
      if (found == known.end()) {
        auto absence = co_await registry::ask_absence(executor, agent, where, deadline);
        found = known.emplace(where.datacenter, std::move(absence)).first;
      }
      why = registry::explain(found->second, where, source->tiers[tier]);
    }
    // An unknown service, or a server that is away, is so for every tier.
    if (!why.empty() && why != said) {
      out += (out.empty() ? "" : "; ") + (names.size() > 1 ? names[tier] + ": " : "") + why;
      said = why;
    }
  }
  co_return out;
}

}  // namespace pilotfish::app
