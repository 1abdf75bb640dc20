#include "net/deadlines.hpp"

#include <algorithm>
#include <utility>

namespace pilotfish::net {

void Deadline::set(TimePoint at) {
  at_ = at;
  if (!filed_) {
    // The clock counts only where the wheel stood still.
    wheel_->file(*this, wheel_->filed_ == 0 ? Clock::now() : TimePoint{});
    return;
  }
  // Filed later than it is due now (a short one after a long one): file it again.
  const auto due = std::max(Deadlines::tick_of(at) + 1, wheel_->swept_ + 1);
  const auto slot_of_at = static_cast<std::size_t>(due) % Deadlines::kSlots;
  if (slot_of_at != slot_ && slot_ != Deadlines::kDueSlot) {
    const auto distance = [this](std::size_t slot) {
      const auto base = static_cast<std::size_t>(wheel_->swept_) % Deadlines::kSlots;
      return (slot + Deadlines::kSlots - base) % Deadlines::kSlots;
    };
    const bool beyond_the_wheel =
        Deadlines::tick_of(at) - wheel_->swept_ >= static_cast<std::int64_t>(Deadlines::kSlots) - 2;
    if (!beyond_the_wheel && distance(slot_of_at) < distance(slot_)) {
      wheel_->unfile(*this);
      wheel_->file(*this, TimePoint{});
    }
  }
}

Deadline::~Deadline() {
  if (filed_) {
    wheel_->unfile(*this);
  }
}

void Deadlines::file(Deadline& deadline, TimePoint not_before) {
  if (filed_ == 0 && not_before != TimePoint{}) {
    swept_ = std::max(swept_, tick_of(not_before) - 1);
  }
  const auto due = tick_of(deadline.at_) + 1;  // rounded up: never early
  const auto tick = std::clamp(due, swept_ + 1, swept_ + static_cast<std::int64_t>(kSlots) - 1);
  deadline.slot_ = static_cast<std::size_t>(tick) % kSlots;
  deadline.filed_ = true;
  deadline.previous_ = nullptr;
  deadline.next_ = slots_[deadline.slot_];
  if (deadline.next_ != nullptr) {
    deadline.next_->previous_ = &deadline;
  }
  slots_[deadline.slot_] = &deadline;
  ++filed_;
  if (wake_at_ == 0 || tick < wake_at_) {
    wake_at_ = tick;
    schedule();
  }
}

void Deadlines::unfile(Deadline& deadline) {
  if (deadline.previous_ != nullptr) {
    deadline.previous_->next_ = deadline.next_;
  } else {
    slots_[deadline.slot_] = deadline.next_;
  }
  if (deadline.next_ != nullptr) {
    deadline.next_->previous_ = deadline.previous_;
  }
  deadline.filed_ = false;
  --filed_;
}

void Deadlines::schedule() {
  if (stopped_) {
    return;
  }
  timer_.expires_at(TimePoint(kGrain * wake_at_));
  timer_.async_wait([this](ErrorCode error) {
    if (!error) {
      sweep(Clock::now());
    }
  });
}

void Deadlines::sweep(TimePoint now) {
  const auto until = tick_of(now);
  // After a long sleep (SIGSTOP) one turn of the wheel sees every slot.
  auto tick = std::max(swept_ + 1, until - static_cast<std::int64_t>(kSlots) + 1);
  for (; tick <= until; ++tick) {
    swept_ = tick;
    const auto slot = static_cast<std::size_t>(tick) % kSlots;
    // Moved to a slot of their own first: what is filed again may land in this one, and whoever
    // runs may destroy or set others that are still to come.
    slots_[kDueSlot] = std::exchange(slots_[slot], nullptr);
    for (Deadline* due = slots_[kDueSlot]; due != nullptr; due = due->next_) {
      due->slot_ = kDueSlot;
    }
    while (slots_[kDueSlot] != nullptr) {
      Deadline& deadline = *slots_[kDueSlot];
      unfile(deadline);
      if (deadline.at_ == TimePoint::max()) {
        continue;
      }
      if (deadline.at_ <= now) {
        deadline.at_ = TimePoint::max();
        deadline.on_deadline();
      } else {
        file(deadline, TimePoint{});
      }
    }
  }
  wake_at_ = 0;
  if (filed_ > 0) {
    for (std::int64_t next = swept_ + 1;; ++next) {
      if (slots_[static_cast<std::size_t>(next) % kSlots] != nullptr) {
        wake_at_ = next;
        break;
      }
    }
    schedule();
  }
}

void Deadlines::stop() {
  stopped_ = true;
  timer_.cancel();
}

}  // namespace pilotfish::net
