#include "registry/consul_plan.hpp"

#include <algorithm>

namespace pilotfish::registry {

void ConsulPlan::want(Duration ttl) {
  wanted_ = true;
  dirty_ = true;
  ttl_ = ttl;
  retry_at_ = {};
}

void ConsulPlan::withdraw() {
  wanted_ = false;
  retry_at_ = {};
}

ConsulPlan::Decision ConsulPlan::next(TimePoint now) const {
  if (!wanted_ && !may_exist_) {
    return {Step::kGone, now};
  }
  if (now < retry_at_) {
    return {Step::kWait, retry_at_};
  }
  if (!wanted_) {
    return {Step::kDeregister, now};
  }
  if (dirty_) {
    return {Step::kRegister, now};
  }
  const bool beats = ttl_ > Duration::zero();
  if (beats && now >= pass_at_) {
    return {Step::kPass, now};
  }
  if (now >= ask_at_) {
    return {Step::kAsk, now};
  }
  return {Step::kWait, beats ? std::min(ask_at_, pass_at_) : ask_at_};
}

void ConsulPlan::asked(bool matches, TimePoint now) {
  ask_at_ = now + kAskEvery;
  dirty_ = dirty_ || !matches;
}

void ConsulPlan::registered(TimePoint now) {
  dirty_ = false;
  may_exist_ = true;
  ask_at_ = now + kAskEvery;
  pass_at_ = now;  // a TTL check starts critical
}

void ConsulPlan::passed(TimePoint now) {
  constexpr Duration kShortest = std::chrono::milliseconds(50);  // a tiny TTL must not spin
  pass_at_ = now + std::max(ttl_ / 3, kShortest);
}

void ConsulPlan::pass_unknown() {
  dirty_ = true;
}

void ConsulPlan::deregistered() {
  may_exist_ = false;
  dirty_ = true;
}

void ConsulPlan::failed(TimePoint now, Duration retry_in, bool perhaps_done) {
  retry_at_ = now + retry_in;
  may_exist_ = may_exist_ || perhaps_done;
}

}  // namespace pilotfish::registry
