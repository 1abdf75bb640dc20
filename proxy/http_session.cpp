#include "proxy/http_session.hpp"

#include <algorithm>

#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"

namespace pilotfish::proxy {
namespace {

constexpr Duration kLingerTime = std::chrono::seconds(1);
constexpr std::size_t kLingerBytes = 1024UL * 1024;
/// A connection that was accepted during a drain may still send its request.
constexpr Duration kDrainGrace = std::chrono::seconds(1);
/// A kept connection in use speaks again within this: closed before, its next request would be
/// lost where the client does not look before it writes.
constexpr Duration kDrainIdle = std::chrono::milliseconds(500);
/// An idle connection whose address moved at a reload. Closing it at once could meet a request on
/// its way; its next answer says `Connection: close`.
constexpr Duration kMovedIdle = std::chrono::seconds(10);

}  // namespace

HttpSession::HttpSession(std::shared_ptr<Worker> worker, std::shared_ptr<const RouteTable> routes,
                         ClientStream client)
    : worker_(std::move(worker)),
      routes_(std::move(routes)),
      upstream_(routes_->expected()),
      client_endpoint_(client.remote()),
      client_address_(client_endpoint_.address.to_string()),
      client_(std::move(client)),
      in_(worker_->buffers),
      read_deadline_(worker_->deadlines, client_),
      write_deadline_(worker_->deadlines, client_),
      body_in_(worker_->buffers),
      pump_ended_(worker_->executor),
      upload_(worker_->pipes) {
  ++upstream_->clients;
  worker_->session_started(*this);
}

HttpSession::~HttpSession() {
  client_.close();
  connection_.reset();
  --upstream_->clients;
  unlink();
  worker_->session_ended();
}

net::Awaitable<void> HttpSession::start(Self self) {
  // The lookup starts with the connection and runs while its first head is on its way.
  self->claim_ = self->upstream_->claim(Clock::now());
  co_await run(std::move(self));
}

net::Awaitable<void> HttpSession::run(Self self) {
  auto& session = *self;
  do {
    co_await session.serve();
    if (!session.alive_ || session.cut_) {
      co_await session.close();
      co_return;
    }
  } while (!session.quick_next(self, Clock::now()));
}

void HttpSession::drain() {
  if (!idle_) {
    return;  // the answer that runs will say `Connection: close`
  }
  const auto now = Clock::now();
  if (const auto until = drain_until(now); until > now) {
    read_deadline_.expect_within(until);
  } else {
    client_.cancel();
  }
}

TimePoint HttpSession::drain_until(TimePoint now) const {
  return first_request_ ? now + kDrainGrace : idle_since_ + kDrainIdle;
}

void HttpSession::leave() {
  if (routes_->retired() && idle_ && !first_request_) {
    read_deadline_.expect_within(Clock::now() +
                                 std::min(options().timeouts.keep_alive, kMovedIdle));
  }
}

void HttpSession::cut() {
  cut_ = true;
  // A FIN would make a cut look like an end.
  if (exchanging_ || tunnel_) {
    client_.reset();
  }
  client_.close();
  if (connection_) {
    if (tunnel_) {
      connection_->stream.reset();
    }
    connection_->stream.close();
  }
  if (scratch_ && scratch_->opening != nullptr) {
    scratch_->opening->call_off();
  }
}

net::Awaitable<void> HttpSession::serve() {
  if (step_ == Step::kRest) {
    send_error_ = co_await net::write_rest(client_, scratch_->rest, [this] {
      write_deadline_.expect_within(Clock::now() + options().timeouts.write);
    });
    client_took(send_error_);
    quick_end(Clock::now());
    co_return;
  }
  if (step_ == Step::kHead || step_ == Step::kHeadWaitEnded) {
    if (!alive_ || cut_) {
      co_return;  // the last answer was the last
    }
    const bool waited = step_ == Step::kHeadWaitEnded;
    auto read = waited ? judge_wait(send_error_) : std::nullopt;
    if (!read) {
      read = co_await read_head(waited);
    }
    if (*read == HeadRead::kClosed) {
      alive_ = false;
      co_return;
    }
    arrived_ = Clock::now();
    step_ = *read == HeadRead::kRequest ? Step::kRequest : Step::kRefused;
  }
  if (step_ == Step::kRefused) {
    co_await refuse_head();
  } else {
    co_await exchange(step_);
  }
}

net::Awaitable<void> HttpSession::close() {
  read_deadline_.clear();
  // A reader that stalled for too long would let the kernel keep what it does not read for minutes
  // more; and where the close ends the answer, a FIN would make the cut look whole.
  if (reset_on_close_) {
    client_.reset();
  } else if (!cut_ && client_.is_open() &&
             (unread_input_ || !in_.empty() || client_.has_unread())) {
    co_await linger();
  }
  client_.close();
}

net::Awaitable<void> HttpSession::refuse_head() {
  const auto foreign = first_request_ ? foreign_protocol(in_.readable()) : Foreign::kNone;
  if (foreign != Foreign::kNone) {
    co_await refuse_protocol(foreign);
    co_return;
  }
  switch (refusal_) {
    case http::Refusal::kTooLarge:
      co_await refuse(431, "http_request_error", "the request's head is larger than limits.head");
      break;
    case http::Refusal::kUnknownCoding:
      co_await refuse(501, "http_request_error",
                      "unknown transfer coding: only `chunked` is understood");
      break;
    case http::Refusal::kConnectMethod:
      co_await refuse(501, "http_request_error", "CONNECT is not supported");
      break;
    case http::Refusal::kMalformed:
      co_await refuse(400, "http_request_error", "malformed request");
      break;
    case http::Refusal::kNone:
      co_await refuse(408, "http_request_error",
                      "the request's head took longer than timeouts.head");
      break;
  }
}

void HttpSession::take_scratch() {
  if (!scratch_) {
    scratch_ = worker_->scratches.take();
    request_.fields.swap(scratch_->request_fields);
    answer_.fields.swap(scratch_->answer_fields);
  }
}

void HttpSession::give_scratch() {
  if (scratch_) {
    request_.fields.swap(scratch_->request_fields);
    answer_.fields.swap(scratch_->answer_fields);
    worker_->scratches.give(std::move(scratch_));
  }
}

void HttpSession::wait_for_request(TimePoint now) {
  in_.release();  // an idle connection holds no buffer
  give_scratch();
  idle_ = true;
  idle_since_ = now;
  if (!(first_request_ && read_deadline_.armed())) {
    const auto& timeouts = options().timeouts;
    const auto kept =
        routes_->retired() ? std::min(timeouts.keep_alive, kMovedIdle) : timeouts.keep_alive;
    read_deadline_.expect_within(worker_->draining ? drain_until(now)
                                                   : now + (first_request_ ? timeouts.head : kept));
  }
}

std::optional<HttpSession::HeadRead> HttpSession::judge_wait(net::ErrorCode error) {
  idle_ = false;
  if (error) {
    if (cut_ || (worker_->draining && in_.empty() && read_deadline_.expired())) {
      return HeadRead::kClosed;
    }
    if (read_deadline_.expired()) {
      refusal_ = http::Refusal::kNone;  // too slow
      const bool silent = in_.empty() && !first_request_;
      return silent ? HeadRead::kClosed : HeadRead::kRefused;
    }
    if (!worker_->draining) {
      return HeadRead::kClosed;
    }
  }
  return std::nullopt;
}

net::Awaitable<HttpSession::HeadRead> HttpSession::read_head(bool waited) {
  const auto limit = options().limits.head;
  scan_.reset();
  request_.clear();
  TimePoint began = in_.empty() ? TimePoint{} : Clock::now();
  std::size_t blank = 0;
  bool wait_first = !first_request_ && !waited;
  for (;;) {
    if (scan_.length() == 0 && !in_.empty()) {
      const auto lines = http::leading_empty_lines(in_.readable(), blank);
      blank += lines;
      in_.consume(lines);
      if (in_.empty()) {
        began = {};  // no byte of a head yet
      }
    }
    if (first_request_ && foreign_protocol(in_.readable()) != Foreign::kNone) {
      refusal_ = http::Refusal::kMalformed;
      co_return HeadRead::kRefused;
    }
    if (!in_.empty() && in_.readable() != "\r") {
      const auto state = scan_.scan(in_.readable());
      if (state == http::HeadScan::State::kFound) {
        co_return judge_head();
      }
      if (state == http::HeadScan::State::kBad || in_.size() >= limit) {
        refusal_ = state == http::HeadScan::State::kBad ? http::Refusal::kMalformed
                                                        : http::Refusal::kTooLarge;
        co_return HeadRead::kRefused;
      }
    }
    if (wait_first) {
      const auto now = Clock::now();
      if (in_.empty()) {
        wait_for_request(now);
      } else {
        if (began == TimePoint{}) {
          began = now;
        }
        read_deadline_.expect_within(began + options().timeouts.head);
      }
      const auto ended = co_await client_.wait_readable();
      const auto verdict = judge_wait(std::get<0>(ended));
      if (verdict) {
        co_return *verdict;
      }
    }
    wait_first = true;
    const auto room = in_.make_room_for_head(limit);
    const auto [error, size] = client_.try_read(room);
    if (error) {
      if (net::would_block(error)) {
        if (worker_->draining && in_.empty() && !first_request_ &&
            Clock::now() >= drain_until(TimePoint{})) {
          co_return HeadRead::kClosed;
        }
        continue;
      }
      if (in_.empty() || error != net::asio::error::eof) {
        co_return HeadRead::kClosed;
      }
      refusal_ = http::Refusal::kMalformed;
      co_return HeadRead::kRefused;
    }
    in_.commit(size);
  }
}

HttpSession::HeadRead HttpSession::judge_head() {
  read_deadline_.clear();
  take_scratch();
  head_size_ = scan_.length();
  if (head_size_ > options().limits.head) {
    request_.clear();  // the last one's: it points into bytes that are gone
    refusal_ = http::Refusal::kTooLarge;
  } else {
    refusal_ = http::parse_request(in_.readable().substr(0, head_size_), request_);
  }
  return refusal_ == http::Refusal::kNone ? HeadRead::kRequest : HeadRead::kRefused;
}

net::Awaitable<void> HttpSession::refuse(int status, std::string_view error,
                                         std::string_view text) {
  // What follows a request we could not read is not a request: the connection ends.
  take_scratch();
  http::OwnAnswer answer;
  answer.status = status;
  answer.error = error;
  answer.text = text;
  answer.date = worker_->date();
  answer.head_only = request_.method == http::Method::kHead && !request_.method_text.empty();
  (void)body_.begin(http::Framing::kNone, 0, {});  // nothing was read of one
  scratch_->answer_bytes.clear();
  body_out_ = http::write_own_answer(answer, scratch_->answer_bytes);
  alive_ = false;
  unread_input_ = true;
  status_ = status;
  net::Gather gather;
  gather.add(scratch_->answer_bytes);
  (void)co_await send_to_client(gather);
  tries_ = 0;
  instance_.reset();
  end_request(error, Clock::now());
}

net::Awaitable<void> HttpSession::linger() {
  client_.shutdown_send();
  read_deadline_.expect_within(Clock::now() + kLingerTime);
  std::size_t discarded = 0;
  while (discarded < kLingerBytes && !cut_ && !read_deadline_.expired()) {
    in_.release();
    const auto room = in_.make_room();
    const auto [error, size] = client_.try_read(room);
    if (error && !net::would_block(error)) {
      break;
    }
    discarded += size;
    if (error) {
      in_.release();
      const auto waited = co_await client_.wait_readable();
      if (std::get<0>(waited)) {
        break;
      }
    }
  }
  read_deadline_.clear();
}

void HttpSession::end_request(std::string_view error, TimePoint now) {
  auto& metrics = upstream_->metrics();
  if (status_ > 0) {
    metrics.downstream_answer(status_);
    if (status_ != 101) {
      metrics.final_answer(now - arrived_);  // a tunnel's answer was final at its 101
    }
  }
  if (auto* log = worker_->shared.access_log; log != nullptr) {
    AccessRecord record;
    std::string room;
    record.upstream = options().name;
    record.client = client_endpoint_;
    record.method = request_.method_text;
    record.target = request_.target;
    record.status = status_;
    record.bytes_in = body_.received() + tunnel_in_;
    record.bytes_out = body_out_;
    record.duration = now - arrived_;
    upstream_->describe_pick(record, instance_.get(), picked_, room);
    record.tries = tries_;
    record.error = error;
    log->log(record);
  }
}

}  // namespace pilotfish::proxy
