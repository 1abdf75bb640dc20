#include "proxy/connection_slots.hpp"

#include "proxy/connection.hpp"

namespace pilotfish::proxy {

ConnectionSlots::Waiter::Waiter(net::Executor executor, TimePoint deadline,
                                const balancer::InstanceState* wants)
    : timer(executor, deadline), wanted(wants) {}

ConnectionSlots::Waiter::~Waiter() = default;

Slot ConnectionSlots::try_take() {
  if (open_ >= most_) {
    return {};
  }
  ++open_;
  return Slot(shared_from_this());
}

net::Awaitable<void> ConnectionSlots::wait(Waiter& waiter) {
  waiter.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &waiter;
  last_ = &waiter;
  waiter.queued = true;
  ++pending_;
  // Destroying a suspended coroutine (the io_context goes away) must not leave the list dangling.
  struct Unlink {
    ConnectionSlots* owner;
    Waiter* waiter;
    ~Unlink() { owner->unlink(*waiter); }
  } guard{this, &waiter};
  (void)co_await waiter.timer.async_wait(net::kTuple);
}

void ConnectionSlots::leave(Waiter& waiter) {
  unlink(waiter);
  waiter.timer.cancel();
}

void ConnectionSlots::hand_over(ConnectionPtr connection) {
  Waiter& waiter = *first_;
  waiter.connection = std::move(connection);
  leave(waiter);
}

void ConnectionSlots::set_limits(std::uint32_t most, std::uint32_t most_pending) {
  most_ = most;
  most_pending_ = most_pending;
  serve();
}

void ConnectionSlots::give() {
  --open_;
  serve();
}

void ConnectionSlots::serve() {
  while (first_ != nullptr && open_ < most_) {
    Waiter& waiter = *first_;
    waiter.slot = try_take();
    leave(waiter);
  }
}

void ConnectionSlots::unlink(Waiter& waiter) {
  if (std::exchange(waiter.queued, false)) {
    (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
    (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
    --pending_;
  }
}

}  // namespace pilotfish::proxy
