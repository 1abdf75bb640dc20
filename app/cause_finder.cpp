#include "app/cause_finder.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <exception>
#include <utility>

#include "app/causes.hpp"

namespace pilotfish::app {

using namespace std::chrono_literals;

namespace {
constexpr Duration kEvery = 2s;
/// The answers of several tiers come in one after the other.
constexpr Duration kRest = 20ms;
constexpr Duration kApiLimit = 3s;
}  // namespace

CauseFinder::CauseFinder(net::IoContext& io, Logger& logger, Hooks hooks)
    : executor_(io.get_executor()),
      logger_(logger),
      hooks_(std::move(hooks)),
      told_(io.get_executor()) {}

void CauseFinder::missing(const std::string& upstream) {
  auto& entry = entries_[upstream];
  if (std::exchange(entry.running, true)) {
    entry.again = true;
    return;
  }
  entry.told = false;
  boost::asio::co_spawn(executor_, run(upstream), boost::asio::detached);
}

net::Awaitable<void> CauseFinder::wait(TimePoint deadline) {
  const auto untold = [this] {
    return std::ranges::any_of(
        entries_, [](const auto& one) { return one.second.running && !one.second.told; });
  };
  while (untold() && Clock::now() < deadline) {
    (void)co_await told_.wait_until(deadline);
  }
}

net::Awaitable<void> CauseFinder::run(std::string upstream) {
  auto& entry = entries_[upstream];
  net::Timer pause(executor_);
  do {
    pause.expires_after(kRest);
    (void)co_await pause.async_wait(net::kTuple);
    entry.again = false;
    co_await find(upstream, entry);
    entry.told = true;
    told_.notify_all();
    pause.expires_after(kEvery);
    (void)co_await pause.async_wait(net::kTuple);
  } while (entry.again);
  entry.running = false;
}

net::Awaitable<void> CauseFinder::find(const std::string& upstream, Entry& entry) {
  const auto statuses = co_await hooks_.status();
  const auto status = std::ranges::find(statuses, upstream, &proxy::UpstreamStatus::name);
  const auto& options = hooks_.options();
  const auto known = std::ranges::find(options.upstreams, upstream, &proxy::UpstreamOptions::name);
  if (status == statuses.end() || known == options.upstreams.end()) {
    co_return;
  }
  auto looking = find_causes(executor_, options.consul_http, options.consul_dns, *known,
                             status->answers, Clock::now() + kApiLimit);
  const auto cause = co_await std::move(looking);
  hooks_.tell(upstream, cause);
  if (cause == entry.logged) {
    co_return;
  }
  entry.logged = cause;
  if (cause.empty()) {
    co_return;
  }
  if (status->tier < 0) {
    logger_.warn("no instance can serve", {{"upstream", upstream}, {"why", cause}});
  } else {
    logger_.info("a tier has no instance", {{"upstream", upstream}, {"why", cause}});
  }
}

}  // namespace pilotfish::app
