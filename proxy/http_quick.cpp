// The usual request, without a coroutine: on a kept connection of the client, whole, with a kept
// connection to its instance and a short answer. One function per event; whatever is not usual goes
// back to the coroutine, at the place that quick_stop_ names, with nothing lost and nothing done
// twice. A request costs two receives, two sends and no allocation.
#include "http/h1_parser.hpp"
#include "proxy/http_session.hpp"

namespace pilotfish::proxy {
namespace {

/// A body of at most this is copied behind its head: one piece instead of two for the kernel.
constexpr std::size_t kWorthACopy = 2048;

}  // namespace

/// Calls one of the session's quick functions once; where it is dropped instead (the io_context
/// ends) the coroutine that waits is dropped with it.
class HttpSession::QuickTurn {
 public:
  using Function = void (HttpSession::*)(net::ErrorCode);
  enum class At : std::uint8_t { kClient, kInstance };

  QuickTurn(HttpSession& session, At at) : session_(&session), at_(at) {}
  QuickTurn(QuickTurn&& other) noexcept
      : session_(std::exchange(other.session_, nullptr)), at_(other.at_) {}
  QuickTurn& operator=(QuickTurn&&) = delete;
  QuickTurn(const QuickTurn&) = delete;
  QuickTurn& operator=(const QuickTurn&) = delete;
  ~QuickTurn() {
    if (session_ != nullptr) {
      // Ends the session: nothing of it may be touched after.
      const auto dropped = std::move(session_->quick_waiter_);
    }
  }
  void operator()(net::ErrorCode error) {
    auto& session = *std::exchange(session_, nullptr);
    const bool waits =
        at_ == At::kClient ? session.quick_client(error) : session.quick_answer(error);
    if (!waits) {
      auto waiter = std::move(session.quick_waiter_);
      waiter({});
    }
  }

 private:
  HttpSession* session_;
  At at_;
};

net::Awaitable<void> HttpSession::quick() {
  // What can go on does so before this waits, so that nothing is resumed from within itself.
  if (!quick_next(Clock::now())) {
    co_return;
  }
  (void)co_await net::asio::async_initiate<decltype(net::kTuple), void(net::ErrorCode)>(
      [this](auto handler) { quick_waiter_ = net::Continuation(std::move(handler)); }, net::kTuple);
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

bool HttpSession::quick_next(TimePoint now) {
  for (;;) {
    if (!alive_ || cut_ || ending()) {
      return stop_quick(Step::kHead);
    }
    if (in_.empty()) {
      wait_for_request(now);
      client_.on_readable(net::Continuation(QuickTurn(*this, QuickTurn::At::kClient)));
      return true;
    }
    // Pipelined behind the last one.
    const auto step = quick_request(now);
    if (step != Step::kDone) {
      return step == Step::kWaits || stop_quick(step);
    }
  }
}

bool HttpSession::quick_client(net::ErrorCode error) {
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
      client_.on_readable(net::Continuation(QuickTurn(*this, QuickTurn::At::kClient)));
      return true;
    }
    return stop_quick(Step::kHeadWaitEnded);  // reads once more, and judges
  }
  in_.commit(size);
  const auto now = Clock::now();
  const auto step = quick_request(now);
  return step == Step::kDone ? quick_next(now) : step == Step::kWaits || stop_quick(step);
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
  if (!whole || request_.upgrade || request_.expect_continue) {
    return Step::kRequest;
  }
  start_request();
  upstream_->request_flows(arrived_);
  tried_end_ = begin_body();
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
  connection_->stream.on_readable(net::Continuation(QuickTurn(*this, QuickTurn::At::kInstance)));
  return Step::kWaits;
}

bool HttpSession::quick_answer(net::ErrorCode error) {
  auto& connection = *connection_;
  if (error || connection.expired() || connection.lost()) {
    return stop_try(read_failure(connection));
  }
  const auto room = connection.in.make_room_for_head(options().limits.head);
  const auto [failed, size] = connection.stream.try_read(room);
  if (failed) {
    if (net::would_block(failed)) {
      connection.stream.on_readable(net::Continuation(QuickTurn(*this, QuickTurn::At::kInstance)));
      return true;
    }
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
  return quick_relay(connection, now) && quick_next(now);
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
  rest_ = {};
  if (size <= kWorthACopy) {
    answer_bytes_.append(body);
    rest_.add(answer_bytes_);
  } else {
    rest_.add(answer_bytes_);
    rest_.add(body);
  }
  send_error_ = {};
  if (!net::write_now(client_, rest_, send_error_)) {
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
