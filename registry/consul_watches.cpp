#include "registry/consul_watches.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <map>
#include <string>
#include <utility>

#include "registry/consul_agent.hpp"
#include "registry/consul_settings.hpp"
#include "registry/consul_watcher.hpp"
#include "registry/context.hpp"
#include "registry/watch_budget.hpp"

namespace pilotfish::registry {

namespace {

const char* const kTooMany = "one process watches 100 services at most";
const char* const kCrowded =
    "Consul takes no more connections from this machine (http_max_conns_per_client)";

resolver::WatchStatePtr left_to_dns(const char* why) {
  resolver::WatchState state;
  state.left_to_dns = true;
  state.problem = why;
  state.answered = Clock::now();
  return std::make_shared<const resolver::WatchState>(std::move(state));
}

}  // namespace

struct ConsulWatches::Impl : std::enable_shared_from_this<ConsulWatches::Impl> {
  Impl(net::IoContext& io, ConsulHttp options, Logger& logger, std::uint64_t seed, Publish publish)
      : context(std::make_shared<WatcherContext>(WatcherContext{io.get_executor(),
                                                                std::move(options),
                                                                {},
                                                                Random(seed),
                                                                &logger,
                                                                std::move(publish),
                                                                {}})),
        timer(io.get_executor()),
        self_timer(io.get_executor()) {
    context->target = http::ClientTarget::parse(context->options.url);
    context->crowded = [this] { give_way(); };
    context->back = [this] { ask_self(); };
  }

  static net::Awaitable<void> probe(std::shared_ptr<Impl> self);
  void judge_probe(const http::ClientResult& result);
  /// Learns only_passing unless it is told; then the watches may begin.
  void ask_self();
  static net::Awaitable<void> ask_self_until_known(std::shared_ptr<Impl> self);
  void take_only_passing(const OnlyPassing& said);
  /// Watches what is desired and allowed, and nothing else.
  void apply();
  void give_way();
  void say_what_is_left();

  std::shared_ptr<WatcherContext> context;
  std::vector<resolver::WatchKey> desired;  // each once
  std::map<resolver::WatchKey, std::shared_ptr<ConsulWatcher>> watchers;
  std::map<resolver::WatchKey, const char*> left;  // desired, left to DNS, and why
  WatchBudget budget;
  net::Timer timer;
  net::Timer self_timer;
  std::shared_ptr<http::ClientCancel> cancel;
  std::shared_ptr<http::ClientCancel> self_cancel;
  bool probing = false;      // the coroutine runs
  bool asking_self = false;  // that one runs
  bool begun = false;        // only_passing is known, or will not be
  bool said_denied = false;
  bool said_left = false;
  bool hangs = false;
};

net::Awaitable<void> ConsulWatches::Impl::probe(std::shared_ptr<Impl> self) {
  auto& context = *self->context;
  while (!self->desired.empty()) {
    self->timer.expires_after(kProbeEvery);
    (void)co_await self->timer.async_wait(net::kTuple);
    const auto now = Clock::now();
    if (self->budget.relax(now)) {
      self->apply();
    }
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

void ConsulWatches::Impl::ask_self() {
  if (context->options.only_passing || !context->target) {
    context->only_passing = context->options.only_passing.value_or(false);
    begun = true;
  } else if (!std::exchange(asking_self, true)) {
    net::asio::co_spawn(context->executor, ask_self_until_known(shared_from_this()),
                        net::asio::detached);
  }
}

net::Awaitable<void> ConsulWatches::Impl::ask_self_until_known(std::shared_ptr<Impl> self) {
  auto& context = *self->context;
  bool known = false;
  while (!known && !self->desired.empty() && context.target && !context.options.only_passing) {
    const auto cancel = std::make_shared<http::ClientCancel>();
    self->self_cancel = cancel;
    const auto deadline = Clock::now() + kAskSelfTimeout;
    const auto said = co_await ask_only_passing(context.executor, context.options, *context.target,
                                                cancel, deadline);
    if (cancel->cancelled()) {
      continue;  // another agent, or nothing is watched any more
    }
    known = said.value || said.denied;
    self->take_only_passing(said);
    if (!known) {
      self->self_timer.expires_after(kBackoffMax);
      (void)co_await self->self_timer.async_wait(net::kTuple);
    }
  }
  self->asking_self = false;
  if (!self->begun && !self->desired.empty()) {
    self->ask_self();
    self->apply();
  }
}

void ConsulWatches::Impl::take_only_passing(const OnlyPassing& said) {
  if (said.denied && !std::exchange(said_denied, true) && context->logger != nullptr) {
    context->logger->info(
        "not known whether Consul's DNS leaves out warning instances; taken for not: let the "
        "token read the agent (agent:read), or set consul.only_passing",
        {{"error", said.problem}});
  }
  const bool before = context->only_passing;
  context->only_passing = said.value.value_or(said.denied ? false : before);
  if (!std::exchange(begun, true)) {
    apply();
  } else if (before != context->only_passing) {
    for (const auto& [key, watcher] : watchers) {
      watcher->look_again();
    }
  }
}

void ConsulWatches::Impl::give_way() {
  if (budget.refused(watchers.size(), Clock::now())) {
    apply();
  }
}

void ConsulWatches::Impl::apply() {
  const auto allowed = begun ? std::min(budget.limit(), desired.size()) : 0;
  const std::vector<resolver::WatchKey> now_watched(
      desired.begin(), desired.begin() + static_cast<std::ptrdiff_t>(allowed));
  const auto* const why = budget.limit() < WatchBudget::kMost ? kCrowded : kTooMany;
  const auto publish = [this](const resolver::WatchKey& key, resolver::WatchStatePtr state) {
    if (context->publish) {
      context->publish(key, std::move(state));
    }
  };
  const auto has = [](const auto& list, const resolver::WatchKey& key) {
    return std::ranges::find(list, key) != list.end();
  };
  for (auto it = watchers.begin(); it != watchers.end();) {
    if (has(now_watched, it->first)) {
      ++it;
      continue;
    }
    it->second->stop();
    if (!has(desired, it->first)) {
      publish(it->first, nullptr);
    }
    it = watchers.erase(it);
  }
  std::erase_if(left, [&](const auto& entry) {
    const bool gone = !has(desired, entry.first);
    if (gone) {
      publish(entry.first, nullptr);
    }
    return gone || has(now_watched, entry.first);
  });
  for (auto it = desired.begin() + static_cast<std::ptrdiff_t>(allowed);
       begun && it != desired.end(); ++it) {
    if (std::exchange(left[*it], why) != why) {
      publish(*it, left_to_dns(why));
    }
  }
  for (const auto& key : now_watched) {
    auto& watcher = watchers[key];
    if (!watcher) {
      watcher = std::make_shared<ConsulWatcher>(context, key);
      watcher->start();
    }
  }
  say_what_is_left();
}

void ConsulWatches::Impl::say_what_is_left() {
  if (left.empty() == !said_left || context->logger == nullptr) {
    return;
  }
  said_left = !left.empty();
  if (said_left) {
    context->logger->warn("not every service is watched; DNS serves the rest",
                          {{"watched", std::to_string(watchers.size())},
                           {"left_to_dns", std::to_string(left.size())},
                           {"reason", left.begin()->second}});
  } else {
    context->logger->info("every service is watched again",
                          {{"watched", std::to_string(watchers.size())}});
  }
}

ConsulWatches::ConsulWatches(net::IoContext& io, ConsulHttp options, Logger& logger,
                             std::uint64_t seed, Publish publish)
    : impl_(std::make_shared<Impl>(io, std::move(options), logger, seed, std::move(publish))) {}

ConsulWatches::~ConsulWatches() {
  impl_->context->logger = nullptr;
  impl_->context->publish = nullptr;
  impl_->context->crowded = nullptr;
  impl_->context->back = nullptr;
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
  impl_->said_denied = false;
  if (impl_->cancel) {
    impl_->cancel->cancel();  // a probe of the former agent
  }
  if (impl_->self_cancel) {
    impl_->self_cancel->cancel();
  }
  impl_->self_timer.cancel();
  impl_->ask_self();
  for (const auto& [key, watcher] : impl_->watchers) {
    watcher->begin_anew();
  }
}

void ConsulWatches::set_desired(const std::vector<resolver::WatchKey>& services) {
  auto& impl = *impl_;
  impl.desired.clear();
  for (const auto& key : services) {
    if (std::ranges::find(impl.desired, key) == impl.desired.end()) {
      impl.desired.push_back(key);
    }
  }
  if (impl.desired.empty()) {
    for (const auto& cancel : {impl.cancel, impl.self_cancel}) {
      if (cancel) {
        cancel->cancel();
      }
    }
    impl.timer.cancel();
    impl.self_timer.cancel();
    impl.hangs = false;
  } else {
    if (!impl.begun) {
      impl.ask_self();
    }
    if (!std::exchange(impl.probing, true)) {
      net::asio::co_spawn(impl.context->executor, Impl::probe(impl_), net::asio::detached);
    }
  }
  impl.apply();
}

void ConsulWatches::give_way() {
  impl_->give_way();
}

}  // namespace pilotfish::registry
