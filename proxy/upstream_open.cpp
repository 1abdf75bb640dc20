// Connections of an upstream: opened, waited for, kept.
#include <algorithm>

#include "proxy/upstream.hpp"

namespace pilotfish::proxy {
namespace {

using balancer::InstanceState;

ConnectFailure failure_of(const net::ErrorCode& error, bool expired) {
  namespace errc = boost::system::errc;
  if (expired) {
    return ConnectFailure::kTimeout;
  }
  if (error == errc::connection_refused) {
    return ConnectFailure::kRefused;
  }
  if (error == errc::network_unreachable || error == errc::host_unreachable) {
    return ConnectFailure::kUnreachable;
  }
  if (error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
      error == errc::no_buffer_space) {
    return ConnectFailure::kNoDescriptors;
  }
  if (error == errc::address_not_available) {
    return ConnectFailure::kNoLocalPort;
  }
  return error == errc::timed_out ? ConnectFailure::kTimeout : ConnectFailure::kOther;
}

OpenError error_of(ConnectFailure reason) {
  switch (reason) {
    case ConnectFailure::kTimeout: return OpenError::kTimeout;
    case ConnectFailure::kNoDescriptors: return OpenError::kDescriptors;
    case ConnectFailure::kNoLocalPort: return OpenError::kNoLocalPort;
    default: return OpenError::kConnect;
  }
}

}  // namespace

void Opening::call_off() {
  called_off_ = true;
  if (waiter_ != nullptr) {
    slots_->leave(*waiter_);
  }
  if (stream_ != nullptr) {
    stream_->cancel();
  }
}

bool Upstream::take_slot(Opening& opening) {
  // Whoever waits was here before; and nothing is idle as long as anybody does.
  while (!opening.slot_ && slots_->pending() == 0) {
    opening.slot_ = slots_->try_take();
    // An idle connection elsewhere is worth less than this request.
    if (!opening.slot_ && std::ranges::none_of(pools_, &InstanceLink::close_one)) {
      break;
    }
  }
  return static_cast<bool>(opening.slot_);
}

net::Awaitable<std::optional<OpenError>> Upstream::wait_in_line(InstanceState& instance,
                                                                Opening& opening, Opened& out) {
  if (slots_->queue_full()) {
    metrics_.overflow("pending");
    co_return OpenError::kQueueFull;
  }
  const bool was_eligible = instance.eligible();
  const auto now = Clock::now();
  auto& habit = link_of(instance).habit;
  const bool only_new =
      opening.fresh_ || (opening.careful_ && habit.safe_idle(now) <= Duration::zero());
  ConnectionSlots::Waiter waiter(worker_.executor, now + options_.connect_timeout,
                                 only_new ? nullptr : &instance);
  opening.slots_ = slots_.get();
  opening.waiter_ = &waiter;
  co_await slots_->wait(waiter);
  opening.waiter_ = nullptr;
  opening.slot_ = std::move(waiter.slot);
  if (auto kept = std::move(waiter.connection)) {
    if (!opening.called_off_ && !kept->stream.disturbed()) {
      kept->resume();
      out.connection = std::move(kept);
      co_return std::nullopt;
    }
    if (!opening.called_off_) {
      habit.closed_after(Duration::zero(), Clock::now());
    }
    opening.slot_ = kept->take_slot();
  }
  if (opening.called_off_) {
    co_return OpenError::kCalledOff;
  }
  if (!opening.slot_) {
    metrics_.overflow("connections");
    co_return OpenError::kQueueTimeout;
  }
  if (instance.tier < 0 || (was_eligible && !instance.eligible())) {
    co_return OpenError::kInstanceLost;
  }
  co_return std::nullopt;
}

net::Awaitable<Opened> Upstream::open(InstanceState& instance, Opening& opening) {
  const balancer::InstanceRef held(&instance);
  Opened out;
  if (!take_slot(opening)) {
    const auto failed = co_await wait_in_line(instance, opening, out);
    if (failed || out.connection) {
      out.error = failed.value_or(OpenError{});
      co_return out;
    }
  }
  if (opening.careful_) {
    link_of(instance).replace_one();
  }
  auto connection = std::make_unique<Connection>(worker_.executor, worker_.buffers,
                                                 worker_.deadlines, std::move(opening.slot_));
  connection->expect_within(Clock::now() + options_.connect_timeout);
  opening.stream_ = &connection->stream;
  const auto connected = co_await connection->stream.connect(instance.endpoint);
  opening.stream_ = nullptr;
  const bool expired = connection->expired();
  connection->clear();
  if (opening.called_off_) {
    out.error = OpenError::kCalledOff;
    co_return out;
  }
  if (const auto error = std::get<0>(connected)) {
    opening.slot_ = connection->take_slot();  // another try need not wait again
    const auto reason = failure_of(error, expired);
    metrics_.connect_failed(instance, reason);
    out.error = error_of(reason);
    out.text =
        reason == ConnectFailure::kTimeout ? "no answer within connect_timeout" : error.message();
    worker_.log().debug(
        "connect failed",
        {{"upstream", options_.name}, {"instance", instance.name}, {"error", error.message()}});
    co_return out;
  }
  metrics_.connected(instance);
  out.connection = std::move(connection);
  co_return out;
}

void Upstream::keep(InstanceState& instance, ConnectionPtr connection, TimePoint now) {
  if (instance.tier < 0 || instance.out() || worker_.draining || leaving_ ||
      options_.timeouts.pool_idle <= Duration::zero()) {
    return;  // it left the answer (or is out): its connections close
  }
  if (slots_->pending() > 0) {
    if (slots_->first_wants(instance) && connection->rest(nullptr, now)) {
      slots_->hand_over(std::move(connection));
    }
    return;  // to somebody else goes its slot
  }
  auto& link = link_of(instance);
  link.give(std::move(connection), now);
  if (!link.is_linked()) {
    pools_.push_back(link);
  }
}

}  // namespace pilotfish::proxy
