#include "proxy/proxy.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "proxy/http_session.hpp"
#include "proxy/listener.hpp"
#include "proxy/tcp_session.hpp"
#include "proxy/upstream.hpp"

namespace pilotfish::proxy {

namespace {

constexpr Duration kSweepEvery = std::chrono::milliseconds(500);

/// Looks at every session twice a second, while there are any.
class SessionSweep final : public net::Deadline {
 public:
  explicit SessionSweep(Worker& worker) : Deadline(worker.deadlines), worker_(worker) {}

 private:
  void on_deadline() override {
    const auto now = Clock::now();
    for (auto it = worker_.sessions.begin(); it != worker_.sessions.end();) {
      auto& session = *it++;
      session.sweep(now);
    }
    set(now + kSweepEvery);
  }
  Worker& worker_;
};

}  // namespace

struct Proxy::Impl {
  Impl(net::IoContext& io, const Shared& shared, metrics::Store& store)
      : worker(std::make_shared<Worker>(io, shared, store)),
        dns(std::make_unique<resolver::DnsService>(io, shared.consul_dns, shared.worker_count,
                                                   *shared.logger, shared.completer,
                                                   worker->random.next())) {
    sweep = std::make_unique<SessionSweep>(*worker);
    sweep->set(Clock::now() + kSweepEvery);
    worker->most_clients = std::max(1U, shared.max_clients / std::max(1U, shared.worker_count));
  }

  std::function<void(ClientStream)> acceptor_for(const std::shared_ptr<Upstream>& upstream) {
    using net::asio::co_spawn;
    using net::asio::detached;
    if (upstream->options().protocol == Protocol::kTcp) {
      return [kept = worker, upstream](ClientStream client) {
        auto session = std::make_unique<TcpSession>(kept, upstream, std::move(client));
        co_spawn(kept->executor, TcpSession::run(std::move(session)), detached);
      };
    }
    auto routes = std::make_shared<const RouteTable>(upstream);
    return [kept = worker, routes](ClientStream client) {
      auto session = std::make_unique<HttpSession>(kept, routes, std::move(client));
      co_spawn(kept->executor, HttpSession::run(std::move(session)), detached);
    };
  }

  std::shared_ptr<Worker> worker;
  std::unique_ptr<SessionSweep> sweep;
  std::unique_ptr<resolver::DnsService> dns;
  std::vector<std::shared_ptr<Upstream>> upstreams;
  std::vector<std::shared_ptr<proxy::Listener>> listeners;
};

Proxy::Proxy(net::IoContext& io, Shared shared, metrics::Store& store)
    : impl_(std::make_unique<Impl>(io, shared, store)) {}

Proxy::~Proxy() {
  stop();
}

void Proxy::start(std::vector<UpstreamOptions> upstreams, std::vector<Listener> listeners,
                  const std::vector<Seed>& seeds) {
  for (auto& options : upstreams) {
    auto upstream = std::make_shared<Upstream>(*impl_->worker, *impl_->dns, std::move(options));
    const auto seed = std::ranges::find(seeds, upstream->options().name, &Seed::upstream);
    if (seed != seeds.end()) {
      upstream->seed(seed->tiers);
    }
    upstream->start();
    impl_->upstreams.push_back(std::move(upstream));
  }
  for (const auto& listener : listeners) {
    const auto found = std::ranges::find_if(impl_->upstreams, [&listener](const auto& upstream) {
      return upstream->options().name == listener.upstream;
    });
    if (found == impl_->upstreams.end()) {
      continue;
    }
    impl_->listeners.push_back(
        std::make_shared<proxy::Listener>(impl_->worker, listener, impl_->acceptor_for(*found)));
    impl_->listeners.back()->start();
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

void Proxy::begin_drain(std::function<void()> on_idle) {
  auto& worker = *impl_->worker;
  worker.draining = true;
  for (const auto& listener : impl_->listeners) {
    listener->finish();
  }
  worker.on_idle = std::move(on_idle);
  for (auto it = worker.sessions.begin(); it != worker.sessions.end();) {
    auto& session = *it++;
    session.drain();
  }
  worker.check_idle();
}

void Proxy::stop() {
  auto& worker = *impl_->worker;
  for (const auto& listener : impl_->listeners) {
    listener->stop();
  }
  for (auto it = worker.sessions.begin(); it != worker.sessions.end();) {
    auto& session = *it++;
    session.cut();
  }
  for (const auto& upstream : impl_->upstreams) {
    upstream->stop();
  }
  impl_->sweep->clear();
  worker.deadlines.stop();
}

std::vector<UpstreamStatus> Proxy::status(TimePoint now) const {
  std::vector<UpstreamStatus> out;
  out.reserve(impl_->upstreams.size());
  for (const auto& upstream : impl_->upstreams) {
    out.push_back(upstream->status(now));
  }
  return out;
}

void Proxy::refresh_gauges(TimePoint now) {
  for (const auto& upstream : impl_->upstreams) {
    upstream->refresh_gauges(now);
  }
}

}  // namespace pilotfish::proxy
