#include "proxy/proxy.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "proxy/http_session.hpp"
#include "proxy/preparer.hpp"
#include "proxy/proxy_impl.hpp"
#include "proxy/tcp_session.hpp"

namespace pilotfish::proxy {

namespace {

constexpr Duration kSweepEvery = std::chrono::milliseconds(500);
constexpr Duration kLookAgain = std::chrono::milliseconds(5);

}  // namespace

void Proxy::Impl::Sweep::on_deadline() {
  const auto now = Clock::now();
  auto& worker = *impl_.worker;
  impl_.drop_unused(now);
  worker.pipes.trim();
  set(now + kSweepEvery);
}

Proxy::Impl::Impl(net::IoContext& io, const Shared& shared, metrics::Store& store)
    : worker(std::make_shared<Worker>(io, shared, store)),
      dns(std::make_unique<resolver::DnsService>(
          io, shared.consul_dns, shared.worker_count, *shared.logger, shared.completer,
          worker->random.next(),
          shared.preparer == nullptr ? nullptr : &shared.preparer->background())),
      sweep(worker->deadlines, *this) {
  sweep.set(Clock::now() + kSweepEvery);
  share_max_clients(shared.max_clients);
}

void Proxy::Impl::share_max_clients(std::uint32_t all) {
  worker->most_clients = std::max(1U, all / std::max(1U, worker->shared.worker_count));
}

std::shared_ptr<Upstream> Proxy::Impl::add_upstream(UpstreamOptions options,
                                                    const std::vector<Seed>& seeds) {
  auto upstream = std::make_shared<Upstream>(*worker, *dns, std::move(options));
  const auto seed = std::ranges::find(seeds, upstream->options().name, &Seed::upstream);
  if (seed != seeds.end()) {
    upstream->seed(seed->tiers);
  }
  upstream->start();
  return upstream;
}

std::function<void(ClientStream)> Proxy::Impl::acceptor_for(
    const std::shared_ptr<const RouteTable>& routes) {
  using net::asio::co_spawn;
  using net::asio::detached;
  const auto& upstream = routes->expected();
  if (upstream->options().protocol == Protocol::kTcp) {
    return [kept = worker, upstream](ClientStream client) {
      auto session = std::make_unique<TcpSession>(kept, upstream, std::move(client));
      co_spawn(kept->executor, TcpSession::run(std::move(session)), detached);
    };
  }
  return [kept = worker, routes](ClientStream client) {
    auto session = std::make_unique<HttpSession>(kept, routes, std::move(client));
    co_spawn(kept->executor, HttpSession::start(std::move(session)), detached);
  };
}

void Proxy::Impl::listen(const Listener& wanted) {
  const auto found = std::ranges::find_if(upstreams, [&wanted](const auto& upstream) {
    return upstream->options().name == wanted.upstream;
  });
  if (found == upstreams.end()) {
    return;
  }
  auto routes = std::make_shared<RouteTable>(*found);
  auto listener = std::make_shared<proxy::Listener>(worker, wanted, acceptor_for(routes));
  listener->start();
  intakes.push_back({wanted.id, (*found)->options().protocol, routes, std::move(listener)});
}

Proxy::Proxy(net::IoContext& io, Shared shared, metrics::Store& store)
    : impl_(std::make_unique<Impl>(io, shared, store)) {}

Proxy::~Proxy() {
  stop();
}

void Proxy::start(std::vector<UpstreamOptions> upstreams, std::vector<Listener> listeners,
                  const std::vector<Seed>& seeds) {
  for (auto& options : upstreams) {
    impl_->upstreams.push_back(impl_->add_upstream(std::move(options), seeds));
  }
  for (const auto& listener : listeners) {
    impl_->listen(listener);
  }
}

net::Awaitable<void> Proxy::wait_first_lookups(TimePoint deadline) {
  const auto upstreams = impl_->upstreams;  // the vector may change while this waits
  for (const auto& upstream : upstreams) {
    co_await upstream->wait_first_lookups(deadline);
  }
}

void Proxy::push_watch(const resolver::WatchKey& key, resolver::WatchStatePtr state) {
  impl_->dns->push(key, std::move(state));
}

void Proxy::push_verdicts(const std::string& upstream,
                          std::span<const balancer::CheckVerdict> verdicts) {
  for (const auto& one : impl_->upstreams) {
    if (one->options().name == upstream) {
      one->take_verdicts(verdicts);
    }
  }
}

void Proxy::explain(const std::string& upstream, const std::string& cause) {
  for (const auto& one : impl_->upstreams) {
    if (one->options().name == upstream) {
      one->explain(cause);
    }
  }
}

net::Awaitable<void> Proxy::wait_closed(TimePoint deadline) {
  const auto worker = impl_->worker;
  while (worker->finishing > 0 && Clock::now() < deadline) {
    (void)co_await worker->room.wait_until(Clock::now() + kLookAgain);
  }
}

void Proxy::begin_drain(std::function<void()> on_idle) {
  auto& worker = *impl_->worker;
  worker.draining = true;
  for (const auto& intake : impl_->intakes) {
    intake.listener->finish();
  }
  worker.on_idle = std::move(on_idle);
  for (auto it = worker.sessions.begin(); it != worker.sessions.end();) {
    auto& session = *it++;
    session.drain();
  }
  worker.check_idle();
}

std::size_t Proxy::clients() const {
  return impl_->worker->clients;
}

void Proxy::stop() {
  auto& worker = *impl_->worker;
  for (const auto& intake : impl_->intakes) {
    intake.listener->stop();
  }
  for (auto it = worker.sessions.begin(); it != worker.sessions.end();) {
    auto& session = *it++;
    session.cut();
  }
  for (const auto* list : {&impl_->upstreams, &impl_->leaving}) {
    for (const auto& upstream : *list) {
      upstream->stop();
    }
  }
  worker.trouble.flush();
  impl_->sweep.clear();
  worker.deadlines.stop();
}

std::vector<UpstreamStatus> Proxy::status(TimePoint now, Detail detail) const {
  std::vector<UpstreamStatus> out;
  out.reserve(impl_->upstreams.size());
  for (const auto& upstream : impl_->upstreams) {
    out.push_back(upstream->status(now, detail == Detail::kInstances));
  }
  return out;
}

void Proxy::refresh_gauges(TimePoint now) {
  for (const auto* list : {&impl_->leaving, &impl_->upstreams}) {
    for (const auto& upstream : *list) {
      upstream->refresh_gauges(now);
    }
  }
}

}  // namespace pilotfish::proxy
