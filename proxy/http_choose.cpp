// Whom a request goes to, and by which connection.
#include <utility>

#include "proxy/http_session.hpp"

namespace pilotfish::proxy {

using balancer::RetryVerdict;
using Care = InstanceLink::Care;

bool HttpSession::choose_pooled(TimePoint now) {
  if (want_fresh_connection_ || !paused_) {
    return false;
  }
  candidate_.reset();
  auto* chosen = upstream_->pick(pick_context(now));
  if (chosen == nullptr) {
    return false;
  }
  connection_ = upstream_->take_idle(*chosen, repeatable() ? Care::kEvents : Care::kHabit, now);
  if (!connection_) {
    candidate_ = balancer::InstanceRef(chosen);
    return false;
  }
  start_try(*chosen, now);
  return true;
}

balancer::InstanceState* HttpSession::choose_instance(TimePoint now) {
  // One pick for one try: the one that found no idle connection counts, as long as it may serve.
  const auto candidate = std::exchange(candidate_, nullptr);
  const auto context = pick_context(now);
  if (candidate && upstream_->may_serve(*candidate, context)) {
    return candidate.get();
  }
  return upstream_->pick(context);
}

net::Awaitable<bool> HttpSession::choose() {
  if (!covered_) {
    covered_ = true;
    auto claim = upstream_->claim(Clock::now());
    if (!upstream_->is_covered(claim)) {
      co_await upstream_->covered(std::move(claim), cut_);
    }
  }
  Opening opening;
  scratch_->opening = &opening;  // cut() calls it off
  const bool chosen = co_await connect(opening);
  scratch_->opening = nullptr;
  co_return chosen;
}

net::Awaitable<bool> HttpSession::connect(Opening& opening) {
  for (;;) {
    if (cut_) {
      co_await fail(TryEnd::kClientGone);
      co_return false;
    }
    const auto now = Clock::now();
    auto* chosen = choose_instance(now);
    if (chosen == nullptr) {
      opening.give_up();
      co_await answer_own(
          503, "destination_unavailable",
          "no instance of " + options().name + " can serve: " + upstream_->reason());
      co_return false;
    }
    if (pauses_before(*chosen)) {
      opening.give_up();  // others need not wait for the end of the pause
      const bool goes_on = co_await pause(now);
      if (!goes_on) {
        co_return false;
      }
      continue;  // with whoever serves by then
    }
    if (!want_fresh_connection_) {
      connection_ = upstream_->take_idle(*chosen, repeatable() ? Care::kKernel : Care::kHabit, now);
    }
    start_try(*chosen, now);
    if (connection_) {
      co_return true;
    }
    opening.want_fresh(want_fresh_connection_);
    opening.take_care(!repeatable());
    Opened opened = co_await upstream_->open(*chosen, opening);
    want_fresh_connection_ = false;
    if (cut_) {
      co_await fail(TryEnd::kClientGone);
      co_return false;
    }
    if (opened.connection) {
      connection_ = std::move(opened.connection);
      co_return true;
    }
    if (opened.error == OpenError::kInstanceLost) {
      try_open_ = false;  // nothing was tried: no line, no verdict
      upstream_->try_finished(*instance_, balancer::Outcome::kNeutral, {}, Clock::now());
      continue;
    }
    const bool failed = opened.error == OpenError::kConnect || opened.error == OpenError::kTimeout;
    if (failed || opened.error == OpenError::kNoLocalPort) {
      ++tries_;
      finish_try(failed ? balancer::Outcome::kConnectFailure : balancer::Outcome::kNeutral);
      const auto verdict = ask_retry(balancer::RetryCause::kConnect, Clock::now());
      if (verdict == RetryVerdict::kOtherInstance || verdict == RetryVerdict::kFreshConnection) {
        continue;
      }
    }
    opening.give_up();
    co_await fail_open(opened);
    co_return false;
  }
}

}  // namespace pilotfish::proxy
