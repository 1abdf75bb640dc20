#include "resolver/lookup_gate.hpp"

namespace pilotfish::resolver {

LookupGate::Generation LookupGate::arrive() {
  if (open()) {
    return kNone;
  }
  want();
  return wanted_;
}

LookupGate::Generation LookupGate::arrive_cached(TimePoint now) {
  if (cached(now)) {
    background_at_ = std::min(background_at_, refresh_at_);
    return kNone;
  }
  if (open()) {
    return kNone;
  }
  if (in_flight()) {
    return started_;
  }
  return arrive();
}

bool LookupGate::begin(TimePoint now) {
  if (in_flight() || (!wanted() && now < background_at_) || !bucket_.try_take(now)) {
    return false;
  }
  ++started_;
  wanted_ = std::max(wanted_, started_);
  last_started_ = now;
  background_at_ = kNever;
  return true;
}

TimePoint LookupGate::next_at(TimePoint now) {
  if (in_flight()) {
    return kNever;
  }
  const auto due = wanted() ? now : background_at_;
  return due == kNever ? kNever : std::max(due, bucket_.next_at(now));
}

void LookupGate::finish(End end, Duration ttl, TimePoint now) {
  finished_ = started_;
  if (end == End::kTimedOut) {
    timeouts_ = std::min(timeouts_ + 1, kTimeoutsToOpen);
  } else {
    timeouts_ = 0;
  }
  if (end != End::kAnswered) {
    // From its begin, so that a probe that runs out of time does not stretch the second.
    background_at_ = last_started_ + kRetry;
    refresh_at_ = background_at_;
    return;
  }
  answered_ = finished_;
  const auto kept = std::clamp<Duration>(ttl, std::chrono::seconds(1), std::chrono::minutes(5));
  expires_ = last_started_ + kept;
  refresh_at_ = last_started_ + kept * 4 / 5;
  background_at_ = std::max(now, last_started_) + (follow_ttl_ ? std::max(kept, kIdle) : kIdle);
}

}  // namespace pilotfish::resolver
