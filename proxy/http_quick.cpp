// The usual request, without a coroutine: on a kept connection of the client, whole, with a kept
// connection to its instance and a short answer. One function per event; whatever is not usual goes
// back to the coroutine, at the place that quick_stop_ names, with nothing lost and nothing done
// twice. A request costs two receives, two sends and no allocation.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "http/h1_parser.hpp"
#include "proxy/http_session.hpp"

namespace pilotfish::proxy {
namespace {

/// A body of at most this is copied behind its head: one piece instead of two for the kernel.
constexpr std::size_t kWorthACopy = 2048;

}  // namespace

/// Waits for one event and owns the session meanwhile: where it is dropped instead of called (the
/// io_context ends), the session ends.
class HttpSession::QuickTurn {
 public:
  QuickTurn(Self self, bool of_client) : self_(std::move(self)), of_client_(of_client) {}

  void operator()(net::ErrorCode error) {
    auto& session = *self_;
    const bool waits =
        of_client_ ? session.quick_client(self_, error) : session.quick_answer(self_, error);
    if (!waits) {
      session.client_.yield();
      const auto executor = session.worker_->executor;
      net::asio::co_spawn(executor, run(std::move(self_)), net::asio::detached);
    }
  }

 private:
  Self self_;
  bool of_client_;
};

void HttpSession::await_client(Self& self) {
  auto& client = client_;
  client.on_readable(net::Continuation(QuickTurn(std::move(self), true)));
}

void HttpSession::await_instance(Self& self) {
  auto& stream = connection_->stream;
  stream.on_readable(net::Continuation(QuickTurn(std::move(self), false)));
}

bool HttpSession::stop_quick(Step step) {
  step_ = step;
  return false;
}

bool HttpSession::stop_try(TryEnd end) {
  if (end != TryEnd::kAnswer) {
    note_headed(Clock::now());
  }
  tried_end_ = end;
  return stop_quick(Step::kTried);
}

bool HttpSession::quick_next(Self& self, TimePoint now) {
  if (!alive_ || cut_ || ending()) {
    return stop_quick(Step::kHead);
  }
  if (!in_.empty()) {
    return quick_send(self, now);  // pipelined behind the last one
  }
  wait_for_request(now);
  await_client(self);
  return true;
}

bool HttpSession::quick_send(Self& self, TimePoint now) {
  const auto step = quick_request(now);
  if (step != Step::kWaits) {
    return stop_quick(step);
  }
  await_instance(self);
  return true;
}

bool HttpSession::quick_client(Self& self, net::ErrorCode error) {
  idle_ = false;
  send_error_ = error;
  if (error) {
    return stop_quick(Step::kHeadWaitEnded);
  }
  const auto room = in_.make_room_for_head(options().limits.head);
  const auto [failed, size] = client_.try_read(room);
  if (failed) {
    if (net::would_block(failed) && !ending()) {
      in_.release();
      idle_ = true;
      await_client(self);
      return true;
    }
    return stop_quick(Step::kHeadWaitEnded);  // reads once more, and judges
  }
  in_.commit(size);
  return quick_send(self, Clock::now());
}

HttpSession::Step HttpSession::quick_request(TimePoint now) {
  scan_.reset();
  if (scan_.scan(in_.readable()) != http::HeadScan::State::kFound) {
    return Step::kHead;
  }
  arrived_ = now;
  if (judge_head() != HeadRead::kRequest) {
    return Step::kRefused;
  }
  const auto limit = options().limits.body;
  const auto rest = in_.size() - head_size_;
  const bool whole = request_.framing == http::Framing::kNone ||
                     (request_.framing == http::Framing::kLength && request_.length <= rest &&
                      (limit == 0 || request_.length <= limit));
  if (!whole || request_.upgrade || request_.expect_continue || request_.max_forwards == 0U) {
    return Step::kRequest;
  }
  start_request();
  upstream_->request_flows(arrived_);
  tried_end_ = begin_body();
  tried_end_ = cut_ ? TryEnd::kClientGone : tried_end_;
  if (tried_end_ != TryEnd::kAnswer) {
    return Step::kBadBody;
  }
  if (!choose_pooled(now)) {
    return Step::kChoose;
  }
  begin_attempt();
  if (unsent_ || send_error_) {
    return Step::kSend;
  }
  sent_at_ = now;  // but for what the write took
  await_answer(*connection_);
  return Step::kWaits;
}

bool HttpSession::quick_answer(Self& self, net::ErrorCode error) {
  auto& connection = *connection_;
  if (error || connection.expired() || connection.lost()) {
    return stop_try(read_failure(connection));
  }
  const auto room = connection.in.make_room_for_head(options().limits.head);
  const auto [failed, size] = connection.stream.try_read(room);
  if (failed) {
    if (net::would_block(failed)) {
      await_instance(self);
      return true;
    }
    scratch_->ended_first = failed == net::asio::error::eof;
    return stop_try(read_failure(connection));
  }
  connection.in.commit(size);
  upstream_->metrics().received(size);
  any_byte_back_ = true;
  http::HeadScan scan;
  if (scan.scan(connection.in.readable()) != http::HeadScan::State::kFound ||
      http::parse_response(connection.in.readable().substr(0, scan.length()), request_.method,
                           answer_) != http::Refusal::kNone ||
      answer_.status < 200) {
    return stop_quick(Step::kReadAnswer);
  }
  const auto now = Clock::now();
  answer_head_size_ = scan.length();
  answer_begun_ = true;
  connection.clear();
  note_headed(now);
  const auto rest = connection.in.size() - answer_head_size_;
  const bool whole = answer_.framing == http::Framing::kNone ||
                     (answer_.framing == http::Framing::kLength && answer_.length <= rest);
  if (!whole || (answer_.status >= 502 && answer_.status <= 504)) {
    return stop_try(TryEnd::kAnswer);
  }
  return quick_relay(connection, now) && quick_next(self, now);
}

bool HttpSession::quick_relay(Connection& connection, TimePoint now) {
  status_ = answer_.status;
  plan_answer();
  connection.in.consume(answer_head_size_);
  const auto size = answer_.framing == http::Framing::kLength
                        ? static_cast<std::size_t>(answer_.length)
                        : std::size_t{0};
  const auto body = connection.in.readable().substr(0, size);
  body_out_ = size;
  scratch_->rest = {};
  if (size <= kWorthACopy) {
    scratch_->answer_bytes.append(body);
    scratch_->rest.add(scratch_->answer_bytes);
  } else {
    scratch_->rest.add(scratch_->answer_bytes);
    scratch_->rest.add(body);
  }
  send_error_ = {};
  if (!net::write_now(client_, scratch_->rest, send_error_)) {
    return stop_quick(Step::kRest);
  }
  quick_end(now);
  return true;
}

void HttpSession::quick_end(TimePoint now) {
  auto& connection = *connection_;
  connection.in.consume(static_cast<std::size_t>(body_out_));
  upstream_->metrics().answered(*instance_, status_);
  if (send_error_) {
    alive_ = false;
    error_ = "client_gone";
  } else {
    finish_try(balancer::Outcome::kSuccess, now);
    if (answer_.keep_alive && connection.in.empty() && sent_whole_) {
      upstream_->keep(*instance_, std::move(connection_), now);
    }
  }
  finish_request(now);
}

}  // namespace pilotfish::proxy
