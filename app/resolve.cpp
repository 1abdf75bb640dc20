#include "app/resolve.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <random>
#include <utility>

#include "app/causes.hpp"
#include "app/completer.hpp"
#include "app/exit_code.hpp"
#include "app/resolve_report.hpp"
#include "app/status_json.hpp"
#include "balancer/cluster.hpp"
#include "net/asio.hpp"
#include "proxy/selection.hpp"
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
    (void)io.poll();
  }
  return answers;
}

/// Adds to the reason why tiers have no instance.
void explain_empty_tiers(const config::RootOptions& options, const proxy::UpstreamOptions& upstream,
                         proxy::UpstreamStatus& status) {
  net::IoContext io{1};
  std::string causes;
  asio::co_spawn(io,
                 find_causes(io.get_executor(), options.consul_http, options.consul_dns, upstream,
                             status.answers, Clock::now() + kApiLimit),
                 [&causes](const std::exception_ptr& error, std::string found) {
                   if (!error) {
                     causes = std::move(found);
                   }
                 });
  io.run_for(kApiLimit + 1s);
  if (!causes.empty()) {
    status.reason += (status.reason.empty() ? "" : "; ") + causes;
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
