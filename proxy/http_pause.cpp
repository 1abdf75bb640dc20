// Between two tries of one request: retry.backoff.
#include <algorithm>
#include <span>

#include "proxy/http_session.hpp"
#include "proxy/pause.hpp"

namespace pilotfish::proxy {

bool HttpSession::pauses_before(const balancer::InstanceState& chosen) const {
  const auto tried_ones = std::span(scratch_->tried).first(tried_count_);
  const bool tried = std::ranges::find(tried_ones, &chosen) != tried_ones.end();
  return !paused_ && !want_fresh_connection_ && options().retry.backoff > Duration::zero() &&
         balancer::waits_first(retries_, tried);
}

net::Awaitable<bool> HttpSession::pause(TimePoint now) {
  paused_ = true;
  const auto left = options().request_timeout - answer_time_used_;
  const auto time = balancer::retry_pause(options().retry.backoff, pauses_++, worker_->random);
  const bool goes_on = co_await pause_for(worker_->executor, cut_, now + std::min(time, left));
  answer_time_used_ += Clock::now() - now;
  if (!goes_on || time >= left) {
    co_await fail(goes_on ? TryEnd::kTimeout : TryEnd::kClientGone);
    co_return false;
  }
  co_return true;
}

}  // namespace pilotfish::proxy
