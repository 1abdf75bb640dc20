#include "registry/consul_plan.hpp"

#include <algorithm>

namespace pilotfish::registry {

void ConsulPlan::want(Check check, TimePoint now) {
  wanted_ = true;
  dirty_ = true;
  superseded_ = false;
  held_ = false;
  doubted_ = false;
  replaced_ = false;
  young_ = false;
  agent_critical_ = false;
  check_ = check;
  ours_since_.reset();
  theirs_since_.reset();
  retry_at_ = {};
  need_verdict(now);
}

void ConsulPlan::withdraw() {
  wanted_ = false;
  held_ = false;
  owner_known_ = false;
  retry_at_ = {};
  probe_at_ = TimePoint::max();
}

bool ConsulPlan::passing() const {
  // A TTL check says only that the sidecar lives.
  return check_.ttl > Duration::zero() || (verdict_ == Verdict::kPassing && !doubted_);
}

ConsulPlan::Decision ConsulPlan::next(TimePoint now) {
  const auto overdue = std::min(overdue_at(ours_since_), overdue_at(theirs_since_));
  if (wanted_ && !held_ && may_exist_ && now >= overdue) {
    hold(ours_since_.has_value(), now);
  }
  const bool out = !wanted_ || held_;
  if (out && !may_exist_) {
    return wanted_ ? Decision{Step::kWait, TimePoint::max()} : Decision{Step::kGone, now};
  }
  if (now < retry_at_) {
    return {Step::kWait, retry_at_};
  }
  if (out) {
    return {owner_known_ ? Step::kDeregister : Step::kAsk, now};
  }
  if (dirty_) {
    const auto verdict_by = verdict_from_ + kVerdictWait;
    const bool waits = check_.probed && !verdict_ && now < verdict_by;
    return waits ? Decision{Step::kWait, verdict_by} : Decision{Step::kRegister, now};
  }
  if (young_ && agent_critical_ && !replaced_ && check_.probed && passing()) {
    return {Step::kDropCheck, now};
  }
  const bool beats = check_.ttl > Duration::zero() && !superseded_;
  if (beats && now >= pass_at_) {
    return {Step::kPass, now};
  }
  if (now >= ask_at_) {
    return {Step::kAsk, now};
  }
  const auto at = beats ? std::min(ask_at_, pass_at_) : ask_at_;
  return {Step::kWait, std::min(at, overdue)};
}

void ConsulPlan::asked(Known known, TimePoint now) {
  using What = Known::What;
  ask_at_ = now + kAskEvery;
  agent_critical_ = known.critical;
  if (known.what == What::kAnothers) {
    stand_back();
    return;
  }
  if (known.what == What::kAbsent) {
    lost(now);
    return;
  }
  owner_known_ = true;
  superseded_ = false;
  may_exist_ = true;
  if (!known.critical) {
    held_ = held_ && !doubted_;  // the agent's verdict held it back, and is another by now
    settled();
  } else if (!theirs_since_) {
    theirs_since_ = now;
  }
  if (known.what == What::kOtherForm && wanted_ && !held_) {
    dirty_ = true;
    need_verdict(now);
  }
}

/// The agent calls it anything but critical.
void ConsulPlan::settled() {
  theirs_since_.reset();
  doubted_ = false;
  young_ = false;
  if (!held_ && !dirty_ && check_.deregister_after == Duration::zero()) {
    probe_at_ = TimePoint::max();
  }
}

void ConsulPlan::stand_back() {
  superseded_ = true;
  dirty_ = false;
  may_exist_ = false;
  held_ = false;
  young_ = false;
  ours_since_.reset();
  theirs_since_.reset();
  probe_at_ = TimePoint::max();
}

/// The agent does not know it.
void ConsulPlan::lost(TimePoint now) {
  superseded_ = false;
  may_exist_ = false;
  if (!wanted_ || held_) {
    return;
  }
  if (check_.probed && check_.deregister_after > Duration::zero() &&
      (ours_since_ || theirs_since_)) {
    hold(ours_since_.has_value(), now);  // the agent was a little earlier than we
    return;
  }
  dirty_ = true;
  replaced_ = false;
  theirs_since_.reset();
  need_verdict(now);
}

void ConsulPlan::hold(bool by_us, TimePoint now) {
  held_ = true;
  doubted_ = !by_us;
  owner_known_ = false;
  verdict_.reset();
  verdict_from_ = now;
  probe_at_ = std::min(probe_at_, next_probe(now));
}

void ConsulPlan::registered(TimePoint now) {
  dirty_ = false;
  may_exist_ = true;
  superseded_ = false;
  agent_critical_ = false;
  young_ = check_.probed;
  ask_at_ = now + kAskSoon;
  pass_at_ = now;  // a TTL check that the agent knew keeps its status
}

void ConsulPlan::passed(TimePoint now) {
  constexpr Duration kShortest = std::chrono::milliseconds(50);  // a tiny TTL must not spin
  pass_at_ = now + std::max(check_.ttl / 3, kShortest);
}

void ConsulPlan::pass_unknown() {
  dirty_ = true;
}

void ConsulPlan::check_dropped() {
  dirty_ = true;
  replaced_ = true;
}

void ConsulPlan::deregistered() {
  may_exist_ = false;
  owner_known_ = false;
  dirty_ = true;
}

void ConsulPlan::failed(TimePoint now, Duration retry_in, bool perhaps_done) {
  retry_at_ = now + retry_in;
  may_exist_ = may_exist_ || perhaps_done;
}

void ConsulPlan::probed(Verdict verdict, TimePoint began, TimePoint now) {
  if (!wanted_ || !check_.probed || superseded_) {
    return;
  }
  if (verdict != Verdict::kCritical) {
    ours_since_.reset();
  } else if (!ours_since_) {
    ours_since_ = now;
  }
  if (began < verdict_from_) {
    probe_at_ = now;
    return;
  }
  verdict_ = verdict;
  if (held_ && verdict != Verdict::kCritical) {
    held_ = false;
    dirty_ = true;
    replaced_ = false;
    theirs_since_.reset();
  }
  probe_at_ = next_probe(began);
}

void ConsulPlan::need_verdict(TimePoint now) {
  verdict_.reset();
  verdict_from_ = now;
  probe_at_ = check_.probed ? now : TimePoint::max();
}

TimePoint ConsulPlan::overdue_at(const std::optional<TimePoint>& since) const {
  return since && check_.probed && check_.deregister_after > Duration::zero()
             ? *since + check_.deregister_after
             : TimePoint::max();
}

TimePoint ConsulPlan::next_probe(TimePoint began) const {
  constexpr Duration kShortest = std::chrono::milliseconds(50);
  const auto interval = std::max(check_.interval, kShortest);
  if (held_ ? !doubted_ : dirty_ || (young_ && !replaced_)) {
    return began + std::min(interval, kProbeAtLeast);
  }
  return held_ || check_.deregister_after > Duration::zero() ? began + interval : TimePoint::max();
}

}  // namespace pilotfish::registry
