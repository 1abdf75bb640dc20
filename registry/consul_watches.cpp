#include "registry/consul_watches.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>
#include <string>
#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/consul_watcher.hpp"

namespace pilotfish::registry {

struct ConsulWatches::Impl {
  Impl(net::IoContext& io, ConsulHttp options, Logger& logger, std::uint64_t seed, Publish publish)
      : context(std::make_shared<WatcherContext>(WatcherContext{io.get_executor(),
                                                                std::move(options),
                                                                {},
                                                                Random(seed),
                                                                &logger,
                                                                std::move(publish),
                                                                {}})),
        timer(io.get_executor()) {
    context->target = http::ClientTarget::parse(context->options.url);
  }

  static net::Awaitable<void> probe(std::shared_ptr<Impl> self);
  void judge_probe(const http::ClientResult& result);

  std::shared_ptr<WatcherContext> context;
  std::map<resolver::WatchKey, std::shared_ptr<ConsulWatcher>> watchers;
  net::Timer timer;
  std::shared_ptr<http::ClientCancel> cancel;
  bool probing = false;  // the coroutine runs
  bool hangs = false;
};

net::Awaitable<void> ConsulWatches::Impl::probe(std::shared_ptr<Impl> self) {
  auto& context = *self->context;
  while (!self->watchers.empty()) {
    self->timer.expires_after(kProbeEvery);
    (void)co_await self->timer.async_wait(net::kTuple);
    const auto now = Clock::now();
    if (self->watchers.empty() || !context.target ||
        (!self->hangs && now - context.heard < kProbeEvery)) {
      continue;
    }
    const auto cancel = std::make_shared<http::ClientCancel>();
    self->cancel = cancel;
    auto request = consul_request(context.options, "GET", "/");
    request.cancel = cancel;
    const auto deadline = now + kProbeTimeout;
    const auto result =
        co_await http::fetch(context.executor, *context.target, std::move(request), deadline);
    if (!cancel->cancelled()) {
      self->judge_probe(result);
    }
  }
  self->probing = false;
}

void ConsulWatches::Impl::judge_probe(const http::ClientResult& result) {
  if (result.answered()) {
    context->heard = Clock::now();
  }
  // Refused or reset is no hanging: the watches see that by themselves.
  const bool silent = result.timed_out && Clock::now() - context->heard >= kProbeTimeout;
  if (silent == hangs) {
    return;
  }
  hangs = silent;
  for (const auto& [key, watcher] : watchers) {
    if (silent) {
      watcher->agent_hangs(result.error);
    } else {
      watcher->agent_answers();
    }
  }
}

ConsulWatches::ConsulWatches(net::IoContext& io, ConsulHttp options, Logger& logger,
                             std::uint64_t seed, Publish publish)
    : impl_(std::make_shared<Impl>(io, std::move(options), logger, seed, std::move(publish))) {}

ConsulWatches::~ConsulWatches() {
  impl_->context->logger = nullptr;
  impl_->context->publish = nullptr;
  set_desired({});
}

void ConsulWatches::set_options(ConsulHttp options) {
  auto& context = *impl_->context;
  if (context.options == options) {
    return;
  }
  context.options = std::move(options);
  context.target = http::ClientTarget::parse(context.options.url);
  context.heard = Clock::now();
  impl_->hangs = false;
  if (impl_->cancel) {
    impl_->cancel->cancel();  // a probe of the former agent
  }
  for (const auto& [key, watcher] : impl_->watchers) {
    watcher->begin_anew();
  }
}

void ConsulWatches::set_desired(const std::vector<resolver::WatchKey>& services) {
  auto& watchers = impl_->watchers;
  for (auto it = watchers.begin(); it != watchers.end();) {
    if (std::ranges::find(services, it->first) != services.end()) {
      ++it;
      continue;
    }
    it->second->stop();
    if (impl_->context->publish) {
      impl_->context->publish(it->first, nullptr);
    }
    it = watchers.erase(it);
  }
  for (const auto& key : services) {
    auto& watcher = watchers[key];
    if (!watcher) {
      watcher = std::make_shared<ConsulWatcher>(impl_->context, key);
      watcher->start();
    }
  }
  if (watchers.empty()) {
    if (impl_->cancel) {
      impl_->cancel->cancel();
    }
    impl_->timer.cancel();
    impl_->hangs = false;
  } else if (!impl_->probing) {
    impl_->probing = true;
    net::asio::co_spawn(impl_->context->executor, Impl::probe(impl_), net::asio::detached);
  }
}

}  // namespace pilotfish::registry
