// Large answers: the expensive part is made beside the worker, the rest comes in steps between
// which traffic runs.
#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <utility>

#include "proxy/upstream.hpp"

namespace pilotfish::proxy {
namespace {

/// Instances that come or go in one step: some ten microseconds.
constexpr std::size_t kStep = 64;

}  // namespace

net::Awaitable<void> Upstream::prepare(std::weak_ptr<Upstream> weak, net::Executor executor,
                                       Preparer& preparer, std::size_t tier, InstanceSet answer) {
  auto self = weak.lock();
  if (!self || (!self->pending_ && !self->cluster_.wants_preparing(tier, answer))) {
    co_return;
  }
  const auto epoch = self->epoch_;
  // While a new source is awaited the cluster's tiers are still those of the former one.
  auto from = self->pending_ ? InstanceSet{} : self->cluster_.instances(tier);
  const auto algorithm = self->cluster_.algorithm();
  self->preparing_.resize(std::max(self->preparing_.size(), tier + 1));
  const auto turn = ++self->preparing_[tier];
  self.reset();
  const auto prepared =
      co_await preparer.prepare(executor, std::move(from), std::move(answer), algorithm);
  for (;;) {
    self = weak.lock();
    // Two that let their newcomers arrive in turns would call each other off for ever.
    if (!self || self->epoch_ != epoch || self->preparing_[tier] != turn) {
      co_return;
    }
    self->prepared_.resize(std::max(self->prepared_.size(), tier + 1));
    self->prepared_[tier] = prepared;
    if (self->pending_ || self->cluster_.arrive(tier, prepared, Clock::now(), kStep)) {
      self->publish_events();
      co_return;
    }
    self->publish_events();
    self.reset();
    co_await net::asio::post(executor, net::kAwait);
  }
}

balancer::PreparedTierPtr Upstream::take_prepared(std::size_t tier) {
  return tier < prepared_.size() ? std::exchange(prepared_[tier], nullptr) : nullptr;
}

void Upstream::start_work() {
  if (!working_ && cluster_.has_work()) {
    working_ = true;
    net::asio::co_spawn(worker_.executor, work(weak_from_this(), worker_.executor),
                        net::asio::detached);
  }
}

net::Awaitable<void> Upstream::work(std::weak_ptr<Upstream> weak, net::Executor executor) {
  for (;;) {
    co_await net::asio::post(executor, net::kAwait);
    const auto self = weak.lock();
    if (!self) {
      co_return;
    }
    self->cluster_.work(kStep);
    self->publish_events();
    if (!self->cluster_.has_work()) {
      self->working_ = false;
      co_return;
    }
  }
}

}  // namespace pilotfish::proxy
