#include "app/resolve.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <map>
#include <random>
#include <utility>

#include "app/completer.hpp"
#include "app/exit_code.hpp"
#include "app/resolve_report.hpp"
#include "app/status_json.hpp"
#include "balancer/cluster.hpp"
#include "net/asio.hpp"
#include "proxy/selection.hpp"
#include "registry/consul_absence.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::app {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr Duration kLimit = 6s;
constexpr Duration kApiLimit = 3s;

/// The newest answer of every tier, after one round over all of them.
std::vector<TierAnswer> ask(const config::RootOptions& options,
                            const proxy::UpstreamOptions& upstream, Logger& logger) {
  net::IoContext io{1};
  const auto completer = make_completer(io, options, logger);
  std::random_device entropy;
  resolver::DnsService dns(io, options.consul_dns, 1, logger, completer.get(), entropy());
  std::vector<TierAnswer> answers;
  {
    resolver::ServiceResolver service(dns,
                                      proxy::asked_source(upstream.source, upstream.cluster.split),
                                      upstream.fresh, upstream.lookup,
                                      {.on_answer = [](std::size_t, const TierAnswer&) {},
                                       .on_lookup = [](const NameAnswer&) {},
                                       .on_stale = [] {}});
    service.start();
    asio::co_spawn(io, service.wait_first_round(Clock::now() + kLimit),
                   [&](const std::exception_ptr& /*error*/) {
                     answers = service.last_answers();
                     service.stop();
                     io.stop();
                   });
    io.run_for(kLimit + 1s);
    // What stop() woke gets to unwind while everything it refers to is still there.
    io.restart();
    io.run_for(200ms);
  }
  return answers;
}

/// Whether DNS denies this tier: for what reason, it cannot say.
bool is_denied(const TierAnswer& answer) {
  return answer.answered != TimePoint{} && answer.instances.empty() && !is_failure(answer.result);
}

registry::Absence ask_why(const config::RootOptions& options,
                          const resolver::ConsulSource& source) {
  net::IoContext io{1};
  registry::Absence absence{.present = {}, .problem = "no answer in time"};
  asio::co_spawn(io,
                 registry::ask_absence(io.get_executor(), options.consul_http, source,
                                       Clock::now() + kApiLimit),
                 [&absence](const std::exception_ptr& error, registry::Absence got) {
                   if (!error) {
                     absence = std::move(got);
                   }
                 });
  io.run_for(kApiLimit + 1s);
  return absence;
}

/// Adds to the reason what the agent's API knows of tiers that DNS says are empty.
void explain_empty_tiers(const config::RootOptions& options, const proxy::UpstreamOptions& upstream,
                         proxy::UpstreamStatus& status) {
  const auto* source = std::get_if<resolver::ConsulSource>(&upstream.source);
  if (source == nullptr || std::ranges::none_of(status.answers, is_denied)) {
    return;
  }
  const auto asked = proxy::asked_source(upstream.source, upstream.cluster.split);
  const auto& tiers = std::get<resolver::ConsulSource>(asked).tiers;
  std::map<std::string, registry::Absence> known;  // by datacenter
  std::string said;
  for (std::size_t tier = 0; tier < std::min(tiers.size(), status.answers.size()); ++tier) {
    if (is_denied(status.answers[tier])) {
      auto there = *source;
      there.datacenter = tiers[tier].datacenter.empty() ? there.datacenter : tiers[tier].datacenter;
      if (!known.contains(there.datacenter)) {
        known.emplace(there.datacenter, ask_why(options, there));
      }
      const auto why = registry::explain(known.at(there.datacenter), there, tiers[tier].tags);
      // An unknown service, and an API that is away, are so for every tier.
      if (why != said) {
        status.reason += (status.reason.empty() ? "" : "; ") + status.tier_names[tier] + ": " + why;
      }
      said = why;
    }
  }
}

/// What a fresh sidecar would make of these answers, best tier first.
proxy::UpstreamStatus judge(const proxy::UpstreamOptions& upstream,
                            std::vector<TierAnswer> answers) {
  proxy::UpstreamStatus status;
  status.name = upstream.name;
  status.required = upstream.required;
  status.tier_names = proxy::tier_names(upstream.source, upstream.cluster.split);
  balancer::Cluster cluster(upstream.cluster, status.tier_names, 1,
                            proxy::tier_roles(upstream.source, upstream.cluster.split));
  const TimePoint now = Clock::now();
  proxy::DrainedNodes drained;
  drained.set_entries(upstream.drain);
  cluster.set_drain(drained.list(), now);
  for (std::size_t tier = 0; tier < answers.size(); ++tier) {
    if (answers[tier].answered != TimePoint{}) {
      cluster.on_answer(tier, answers[tier], now);
    }
  }
  cluster.tick(now);
  status.tier = cluster.serving_tier();
  status.reason = cluster.reason();
  if (const TimePoint asked = cluster.serving_asked(); status.tier >= 0 && asked != TimePoint{}) {
    status.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - asked).count();
  }
  for (const balancer::InstanceView& view : cluster.view(now)) {
    status.instances.push_back({.address = view.state->name,
                                .weight = view.state->weight,
                                .priority = view.state->priority,
                                .tags = view.state->tags,
                                .tier = view.state->tier,
                                .state = std::string(view.status),
                                .why = view.why});
  }
  status.answers = std::move(answers);
  return status;
}

}  // namespace

int resolve_upstream(const config::RootOptions& options, const std::string& upstream, bool as_json,
                     Logger& logger, std::ostream& out, std::ostream& err) {
  const auto found = std::find_if(options.upstreams.begin(), options.upstreams.end(),
                                  [&](const auto& one) { return one.name == upstream; });
  if (found == options.upstreams.end()) {
    err << "pilotfish resolve: there is no upstream \"" << upstream << "\"; there are:";
    for (const auto& one : options.upstreams) {
      err << ' ' << one.name;
    }
    err << '\n';
    return kExitUsage;
  }
  auto status = judge(*found, ask(options, *found, logger));
  explain_empty_tiers(options, *found, status);
  const MergedStatus merged = merge_status({std::vector{std::move(status)}});
  if (as_json) {
    out << upstreams_json(merged, Clock::now());
  } else {
    out << resolve_report(*found, merged.upstreams.front());
  }
  out.flush();
  return merged.upstreams.front().status.tier >= 0 ? kExitOk : kExitUnavailable;
}

}  // namespace pilotfish::app
