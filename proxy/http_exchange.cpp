// One request: trying, and trying again.
#include <algorithm>
#include <utility>

#include "proxy/foreign_protocol.hpp"
#include "proxy/http_session.hpp"

namespace pilotfish::proxy {

using balancer::Outcome;
using balancer::RetryCause;
using balancer::RetryVerdict;

net::Awaitable<void> HttpSession::exchange(Step step) {
  if (step == Step::kRequest) {
    start_request();
    if (first_request_) {
      first_request_ = false;
      if (!cut_ && !upstream_->is_covered(claim_)) {
        co_await upstream_->covered(std::move(claim_), cut_);
      }
      covered_ = true;
    } else {
      upstream_->request_flows(arrived_);
    }
    tried_end_ = begin_body();
    tried_end_ = cut_ ? TryEnd::kClientGone : tried_end_;
  }
  if (step == Step::kBadBody || (step == Step::kRequest && tried_end_ != TryEnd::kAnswer)) {
    co_await fail(tried_end_);
    finish_request(Clock::now());
    co_return;
  }
  if (step == Step::kRequest && request_.max_forwards == 0U) {
    co_await answer_last_hop();
    finish_request(Clock::now());
    co_return;
  }
  for (;;) {
    if (step == Step::kChoose || (step == Step::kRequest && !choose_pooled(Clock::now()))) {
      const bool chosen = co_await choose();
      if (!chosen) {
        break;  // answered already
      }
    }
    TryEnd end = tried_end_;
    if (step != Step::kTried) {
      end = co_await attempt(step);
    }
    step = Step::kRequest;  // from here on every try is one of the usual kind
    if (end == TryEnd::kAnswer) {
      if (!answer_may_be_retried(Clock::now())) {
        co_await relay_answer(*connection_);
        break;
      }
      co_await stop_pump();  // the next try goes on with the body where this one stopped
      connection_.reset();
      if (pump_problem_ == TryEnd::kAnswer) {
        continue;
      }
      end = pump_problem_;
    }
    if (end == TryEnd::kSwitched) {
      co_await switch_protocols(*connection_);
      break;
    }
    if (!try_again(end)) {
      co_await fail(end);
      break;
    }
  }
  finish_request(Clock::now());
}

void HttpSession::start_request() {
  if (const auto& upstream = routes_->route(request_); upstream != upstream_) {
    upstream_ = upstream;
  }
  ++upstream_->active;
  exchanging_ = true;
  const bool aborts = options().client_half_close == ClientHalfClose::kAbort;
  if (client_.watch(*this, aborts ? net::HangUp::kEnd : net::HangUp::kReset)) {
    hung_up();
  }
  upstream_->budget().on_request(arrived_);
  covered_ = false;
  tried_count_ = 0;
  tries_ = retries_ = interim_ = 0;
  interim_passed_ = continued_ = false;
  reuse_repeat_spent_ = want_fresh_connection_ = false;
  paused_ = true;
  pauses_ = 0;
  answer_time_used_ = {};
  status_ = 0;
  body_out_ = tunnel_in_ = 0;
  error_ = {};
  instance_.reset();
  wanted_ = sticky_ = 0;
  wish_ = Wish::kNone;
  selected_ = !upstream_->selects();
  if (!selected_) {
    take_cookie();
  }
}

void HttpSession::finish_request(TimePoint now) {
  finish_try(Outcome::kNeutral, now);  // where nothing else was said of it
  connection_.reset();
  end_request(error_, now);
  exchanging_ = false;
  client_.unwatch();
  --upstream_->active;
  for (std::size_t i = 0; i < tried_count_; ++i) {
    scratch_->tried_refs[i].reset();
  }
  // The bytes of this request go; what was pipelined behind it stays.
  in_.consume(std::min(in_.size(), head_size_ + body_.consumed_at_start()));
  if (alive_) {
    take_late_input();
  }
  body_in_.release();
  body_.release();
}

HttpSession::TryEnd HttpSession::begin_body() {
  const auto arrived = std::span<char>(in_.begin() + head_size_, in_.size() - head_size_);
  const auto state =
      body_.begin(request_.framing, request_.length, arrived, http::is_idempotent(request_.method));
  const auto limit = options().limits.body;
  if (limit > 0 && (body_.received() > limit ||
                    (request_.framing == http::Framing::kLength && request_.length > limit))) {
    return TryEnd::kBodyTooLarge;
  }
  if (state == http::BodyDecoder::State::kBad || !prepare_request()) {
    return TryEnd::kBadBody;
  }
  return TryEnd::kAnswer;
}

void HttpSession::begin_attempt() {
  ++tries_;
  any_byte_back_ = false;
  pump_problem_ = TryEnd::kAnswer;
  headed_at_ = {};
  name_instance();
  scratch_->rest = request_gather();
  scratch_->to_send = scratch_->rest.size();
  scratch_->ended_first = false;
  upstream_->metrics().sent(scratch_->to_send);
  send_error_ = {};
  unsent_ = !net::write_now(connection_->stream, scratch_->rest, send_error_);
  scratch_->sent_at_once = !unsent_ && !send_error_ && body_.complete();
  sent_whole_ = true;
  send_was_reset_ = false;
}

net::Awaitable<HttpSession::TryEnd> HttpSession::attempt(Step step) {
  auto& connection = *connection_;
  if (step == Step::kReadAnswer) {
    co_return co_await finish_attempt(connection);
  }
  if (step != Step::kSend) {
    begin_attempt();
  }
  net::ErrorCode error = send_error_;
  if (unsent_) {
    error = co_await net::write_rest(connection.stream, scratch_->rest, [&connection, this] {
      connection.expect_within(Clock::now() + options().timeouts.write);
    });
    connection.clear();
  }
  note_sent(error);
  // After a failed write an answer may be there all the same: it was sent before the close.
  if (!body_.complete() && !error) {
    sent_at_ = TimePoint::max();  // the pump says when the last byte went
    start_pump(connection);
    if (request_.expect_continue && body_.received() == 0) {
      // The client sends nothing until the instance speaks: that is the instance's time.
      connection.expect_within(Clock::now() + options().request_timeout);
    }
  } else {
    sent_at_ = Clock::now();
    await_answer(connection);
  }
  co_return co_await finish_attempt(connection);
}

net::Awaitable<HttpSession::TryEnd> HttpSession::finish_attempt(Connection& connection) {
  const TryEnd end = co_await read_answer(connection);
  note_headed(Clock::now());
  if (end != TryEnd::kAnswer) {
    co_await stop_pump();
  }
  co_return end;
}

void HttpSession::await_answer(Connection& connection) {
  const auto deadline = sent_at_ + (options().request_timeout - answer_time_used_);
  // A dead host is given up early only where another try is possible: it might just be slow to
  // come back, and without a repeat giving up early helps nobody.
  const auto& retry = options().retry;
  const bool room = tried_count_ < HttpScratch::kMostTried;
  if (room) {
    scratch_->tried[tried_count_] =
        instance_.get();  // beyond those that count, for this question alone
  }
  const bool repeatable = http::is_idempotent(request_.method) && body_.replayable() &&
                          !interim_passed_ && retries_ < retry.attempts && retry.on_reset && room &&
                          upstream_->another({scratch_->tried.data(), tried_count_ + 1}, wanted());
  if (repeatable) {
    connection.expect_heard_within(deadline, options().connect_timeout, sent_at_);
  } else {
    connection.expect_within(deadline);
  }
}

bool HttpSession::answer_may_be_retried(TimePoint now) {
  RetryCause cause{};
  switch (answer_.status) {
    case 502: cause = RetryCause::k502; break;
    case 503: cause = RetryCause::k503; break;
    case 504: cause = RetryCause::k504; break;
    default: return false;
  }
  upstream_->metrics().answered(*instance_, answer_.status);
  finish_try(Outcome::kGatewayError);
  const auto verdict = ask_retry(cause, now);
  return verdict == RetryVerdict::kOtherInstance || verdict == RetryVerdict::kFreshConnection;
}

bool HttpSession::try_again(TryEnd end) {
  const auto now = Clock::now();
  answered_in_tls_ = connection_ && is_tls(connection_->in.readable());
  switch (end) {
    case TryEnd::kReset: {
      if (connection_->lost()) {
        link_of(*instance_).close_all();  // its other kept connections lead nowhere either
      }
      const bool reused = connection_->reused && !any_byte_back_ && !connection_->lost();
      if (reused) {
        link_of(*instance_)
            .habit.closed_after(std::max(Duration::zero(), try_started_ - connection_->idle_since),
                                now);
      }
      // A kept connection that the instance closed between two requests is no failure of it.
      finish_try(reused ? Outcome::kNeutral : Outcome::kReset);
      break;
    }
    case TryEnd::kBadAnswer: finish_try(Outcome::kReset); break;
    case TryEnd::kTimeout: finish_try(Outcome::kTimeout); break;
    default: finish_try(Outcome::kNeutral); break;
  }
  RetryVerdict verdict = RetryVerdict::kNo;
  if (end == TryEnd::kReset) {
    verdict = ask_retry(RetryCause::kReset, now);
  } else if (end == TryEnd::kBadAnswer) {
    verdict = ask_retry(RetryCause::k502, now);
  }
  connection_.reset();
  return verdict == RetryVerdict::kOtherInstance || verdict == RetryVerdict::kFreshConnection;
}

bool HttpSession::untouched() const {
  if (!connection_ || any_byte_back_) {
    return false;
  }
  const bool nothing_left = send_error_ && scratch_->rest.size() == scratch_->to_send;
  // A FIN acknowledges all that came before it. One that does not cover the request's first byte
  // was sent by an instance that had not received it. It can answer nothing any more, and what it
  // closed while the request was on its way it will not read: that is taken for granted.
  return nothing_left || (scratch_->sent_at_once && scratch_->ended_first &&
                          connection_->stream.unacknowledged(scratch_->to_send));
}

RetryVerdict HttpSession::ask_retry(RetryCause cause, TimePoint now) {
  balancer::RetryQuestion question;
  question.cause = cause;
  question.retries_so_far = retries_;
  question.idempotent = http::is_idempotent(request_.method);
  question.connected = cause != RetryCause::kConnect;
  question.answer_started = interim_passed_;
  question.body_replayable = body_.replayable();
  question.reused_connection = cause == RetryCause::kReset && connection_ && connection_->reused &&
                               !any_byte_back_ && !connection_->lost();
  question.reuse_repeat_spent = reuse_repeat_spent_;
  question.untouched = cause == RetryCause::kReset && untouched();
  const auto verdict = upstream_->decide_retry(question, now);
  if (question.untouched && verdict != RetryVerdict::kNo) {
    connection_->stream.reset();  // or the kernel would go on sending what goes elsewhere now
  }
  if (verdict == RetryVerdict::kFreshConnection) {
    reuse_repeat_spent_ = true;
    want_fresh_connection_ = true;
  } else if (verdict == RetryVerdict::kOtherInstance) {
    ++retries_;
    paused_ = false;
    if (tried_count_ < HttpScratch::kMostTried) {
      scratch_->tried_refs[tried_count_] = instance_;  // keeps the pointer beside it alive
      scratch_->tried[tried_count_++] = instance_.get();
    }
  }
  covered_ = true;  // later tries use the newest snapshot
  return verdict;
}

}  // namespace pilotfish::proxy
