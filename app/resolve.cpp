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
#include "registry/consul_listing.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::app {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr Duration kLimit = 6s;
constexpr Duration kApiLimit = 3s;

struct Asked {
  std::vector<TierAnswer> answers;
  proxy::DrainedNodes drained;
};

/// What the watches of a running sidecar would have said by now.
net::Awaitable<void> ask_watches(net::Executor executor, registry::ConsulHttp agent,
                                 resolver::ConsulSource source, resolver::DnsService& dns,
                                 TimePoint deadline) {
  for (const auto& key : resolver::watch_keys(source)) {
    auto state = co_await registry::ask_watch_state(executor, agent, key, deadline);
    dns.push(key, std::move(state));
  }
}

/// The newest answer of every tier, after one round over all of them.
Asked ask(const config::RootOptions& options, const proxy::UpstreamOptions& upstream,
          Logger& logger) {
  net::IoContext io{1};
  const auto completer = make_completer(io, options, logger);
  std::random_device entropy;
  resolver::DnsService dns(io, options.consul_dns, 1, logger, completer.get(), entropy());
  Asked out;
  out.drained.set_entries(upstream.drain);
  const auto source = proxy::asked_source(upstream.source, upstream.cluster.split);
  const auto* consul = std::get_if<resolver::ConsulSource>(&source);
  if (consul != nullptr && upstream.fresh == resolver::Freshness::kWatch) {
    asio::co_spawn(
        io,
        ask_watches(io.get_executor(), options.consul_http, *consul, dns, Clock::now() + kApiLimit),
        [&io](const std::exception_ptr& /*error*/) { io.stop(); });
    io.run_for(kApiLimit + 1s);
    io.restart();
  }
  {
    resolver::ServiceResolver service(
        dns, source, upstream.fresh, upstream.lookup,
        {.on_answer = [](std::size_t, const TierAnswer&) {},
         .on_lookup = [](const NameAnswer&) {},
         .on_stale = [] {},
         .on_watch =
             [&out](const resolver::WatchKey& key, const resolver::WatchState& state) {
               (void)out.drained.take(key, state);
             }});
    service.start();
    asio::co_spawn(io, service.wait_first_round(Clock::now() + kLimit),
                   [&](const std::exception_ptr& /*error*/) {
                     out.answers = service.last_answers();
                     service.stop();
                     io.stop();
                   });
    io.run_for(kLimit + 1s);
    // What stop() woke gets to unwind while everything it refers to is still there.
    io.restart();
    (void)io.poll();
  }
  return out;
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
proxy::UpstreamStatus judge(const proxy::UpstreamOptions& upstream, Asked asked) {
  auto& answers = asked.answers;
  proxy::UpstreamStatus status;
  status.name = upstream.name;
  status.required = upstream.required;
  status.tier_names = proxy::tier_names(upstream.source, upstream.cluster.split);
  balancer::Cluster cluster(upstream.cluster, status.tier_names, 1,
                            proxy::tier_roles(upstream.source, upstream.cluster.split));
  const TimePoint now = Clock::now();
  cluster.set_drain(asked.drained.list(), now);
  for (std::size_t tier = 0; tier < answers.size(); ++tier) {
    if (answers[tier].answered != TimePoint{}) {
      cluster.on_answer(tier, answers[tier], now);
    }
  }
  cluster.tick(now);
  status.tier = cluster.serving_tier();
  status.reason = cluster.reason();
  if (const TimePoint since = cluster.serving_asked(); status.tier >= 0 && since != TimePoint{}) {
    status.age_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - since).count();
  }
  if (!upstream.enabled) {
    status.tier = -1;
    status.required = false;
    status.reason = proxy::disabled_text(upstream.name);
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
  if (found->enabled) {
    explain_empty_tiers(options, *found, status);
  }
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
