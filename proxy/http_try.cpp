// One try on an instance: what is noted of it, for whoever judges instances and for the log.
#include "proxy/http_session.hpp"

namespace pilotfish::proxy {

using balancer::Outcome;

void HttpSession::start_try(balancer::InstanceState& chosen, TimePoint now) {
  instance_ = balancer::InstanceRef(&chosen);
  picked_ = upstream_->picked(chosen, {wish_, wanted(), sticky_, tried_count_ > 0});
  try_started_ = now;
  try_open_ = true;
  upstream_->try_started(chosen, now);
}

void HttpSession::note_headed(TimePoint now) {
  headed_at_ = now;
  if (sent_at_ <= now) {
    answer_time_used_ += now - sent_at_;
  }
}

void HttpSession::finish_try(Outcome outcome, TimePoint now) {
  if (try_open_) {
    try_open_ = false;
    const auto until = headed_at_ > try_started_ ? headed_at_ : now;
    log_try(outcome, until);
    upstream_->try_finished(*instance_, outcome, until - try_started_, now);
  }
}

void HttpSession::write_try(Outcome outcome, TimePoint ended) const {
  Upstream::TryLine line;
  line.number = tries_;
  line.tier = picked_.tier;
  const bool answered = !is_failure(outcome) || outcome == Outcome::kGatewayError;
  line.status = answered && answer_begun_ && headed_at_ >= try_started_ ? answer_.status : 0;
  line.outcome = outcome;
  line.took = ended - try_started_;
  line.method = request_.method_text;
  line.target = request_.target;
  upstream_->log_try(*instance_, line);
}

}  // namespace pilotfish::proxy
