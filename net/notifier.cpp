#include "net/notifier.hpp"

namespace pilotfish::net {

Awaitable<bool> Notifier::wait_until(TimePoint deadline) {
  Waiter self{.timer = Timer(executor_, deadline)};
  self.previous = last_;
  (last_ != nullptr ? last_->next : first_) = &self;
  last_ = &self;
  ++count_;
  // Destroying a suspended coroutine (the io_context goes away) must not leave the list dangling.
  struct Unlink {
    Notifier* owner;
    Waiter* waiter;
    ~Unlink() {
      if (!waiter->notified) {
        owner->unlink(*waiter);
      }
    }
  } guard{this, &self};
  (void)co_await self.timer.async_wait(kTuple);
  co_return self.notified;
}

void Notifier::unlink(Waiter& waiter) {
  (waiter.previous != nullptr ? waiter.previous->next : first_) = waiter.next;
  (waiter.next != nullptr ? waiter.next->previous : last_) = waiter.previous;
  --count_;
}

void Notifier::notify_one() {
  if (Waiter* waiter = first_; waiter != nullptr) {
    unlink(*waiter);
    waiter->notified = true;
    waiter->timer.cancel();
  }
}

void Notifier::notify_all() {
  while (first_ != nullptr) {
    notify_one();
  }
}

}  // namespace pilotfish::net
