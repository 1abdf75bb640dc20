// The answer's way down: heads, interim answers, bodies and protocol switches.
#include "http/h1_parser.hpp"
#include "http/h1_writer.hpp"
#include "proxy/http_session.hpp"
#include "proxy/relay.hpp"

namespace pilotfish::proxy {
namespace {

constexpr std::uint32_t kMostInterim = 16;

}  // namespace

net::Awaitable<HttpSession::TryEnd> HttpSession::read_answer(Connection& connection) {
  http::HeadScan scan;
  const auto limit = options().limits.head;
  answer_begun_ = false;
  bool arrived = !connection.in.empty();  // the quick way has read it already
  for (;;) {
    if (pump_problem_ != TryEnd::kAnswer) {
      co_return pump_problem_;
    }
    if (connection.expired()) {
      co_return TryEnd::kTimeout;  // it fired while nobody waited
    }
    if (connection.lost()) {
      co_return TryEnd::kReset;  // the same
    }
    if (!arrived) {
      const auto waited = co_await connection.stream.wait_readable();
      if (const auto error = std::get<0>(waited)) {
        co_return read_failure(connection);
      }
      const auto room = connection.in.make_room_for_head(limit);
      if (room.empty()) {
        co_return TryEnd::kBadAnswer;
      }
      const auto [error, size] = connection.stream.try_read(room);
      if (error) {
        if (net::would_block(error)) {
          continue;
        }
        scratch_->ended_first = error == net::asio::error::eof;
        co_return read_failure(connection);
      }
      connection.in.commit(size);
      upstream_->metrics().received(size);
      any_byte_back_ = true;
    }
    arrived = false;
    for (;;) {
      const auto state = scan.scan(connection.in.readable());
      if (state == http::HeadScan::State::kMore) {
        break;
      }
      if (state == http::HeadScan::State::kBad ||
          http::parse_response(connection.in.readable().substr(0, scan.length()), request_.method,
                               answer_) != http::Refusal::kNone) {
        co_return TryEnd::kBadAnswer;
      }
      answer_head_size_ = scan.length();
      if (answer_.status == 101) {
        if (!request_.upgrade || !http::was_offered(request_, answer_) || still_uploading()) {
          co_return TryEnd::kBadAnswer;
        }
        connection.clear();  // the tunnel has a time of its own
        co_return TryEnd::kSwitched;
      }
      if (answer_.status >= 200) {
        answer_begun_ = true;
        connection.clear();
        co_return TryEnd::kAnswer;
      }
      const bool passed = co_await pass_interim();
      if (!passed) {
        co_return interim_ > kMostInterim ? TryEnd::kBadAnswer : TryEnd::kClientGone;
      }
      connection.in.consume(answer_head_size_);
      if (answer_.status == 100 && awaits_continue()) {
        continued_ = true;  // now it is the client's turn
        connection.clear();
        read_deadline_.expect_within(Clock::now() + options().timeouts.body);
      }
      scan.reset();
    }
  }
}

HttpSession::TryEnd HttpSession::read_failure(const Connection& connection) const {
  if (cut_) {
    return TryEnd::kClientGone;
  }
  if (pump_problem_ != TryEnd::kAnswer) {
    return pump_problem_;
  }
  return connection.expired() ? TryEnd::kTimeout : TryEnd::kReset;
}

net::Awaitable<bool> HttpSession::pass_interim() {
  if (++interim_ > kMostInterim) {
    co_return false;
  }
  if (request_.version == http::Version::k10) {
    co_return true;  // RFC 9110 section 15.2: HTTP/1.0 knows none
  }
  scratch_->answer_bytes.clear();
  http::write_response(answer_, http::ResponseRewrite{}, scratch_->answer_bytes);
  net::Gather gather;
  gather.add(scratch_->answer_bytes);
  interim_passed_ = true;
  const auto error = co_await send_to_client(gather);
  co_return !error;
}

net::Awaitable<net::ErrorCode> HttpSession::send_to_client(net::Gather gather) {
  net::ErrorCode error;
  const bool sent = net::write_now(client_, gather, error);
  if (!sent) {
    error = co_await net::write_rest(client_, gather, [this] {
      write_deadline_.expect_within(Clock::now() + options().timeouts.write);
    });
    client_took(error);
  }
  co_return error;
}

void HttpSession::plan_answer() {
  const bool old_client = request_.version == http::Version::k10;
  answer_framing_ = answer_.framing;
  if (answer_.framing == http::Framing::kChunked || answer_.framing == http::Framing::kUntilClose) {
    answer_framing_ = old_client ? http::Framing::kUntilClose : http::Framing::kChunked;
  }
  http::ResponseRewrite rewrite;
  rewrite.framing = answer_framing_;
  // While the body is still on its way up, another request may never follow.
  rewrite.close = !request_.keep_alive || still_uploading() ||
                  answer_framing_ == http::Framing::kUntilClose || drain_closes();
  rewrite.client_is_10 = old_client;
  if (!answer_.has_date) {
    rewrite.date = worker_->date();
  }
  if (rewrite.close) {
    alive_ = false;
    // Who did not ask for it may have sent another request: unread, it would cost it this answer.
    unread_input_ = unread_input_ || request_.keep_alive;
  }
  scratch_->connection_names.clear();
  if (answer_framing_ == http::Framing::kChunked) {
    http::HopByHop::names(answer_, scratch_->connection_names);
  }
  rewrite.more = cookie_field();
  scratch_->answer_bytes.clear();
  http::write_response(answer_, rewrite, scratch_->answer_bytes);
}

bool HttpSession::drain_closes() {
  constexpr std::uint32_t kMost = 64;  // who never stops to pipeline is stopped
  if (!ending()) {
    return false;
  }
  const bool pipelined = in_.size() > head_size_ + body_.consumed_at_start() || !body_in_.empty() ||
                         client_.disturbed();
  return !pipelined || ++drained_ > kMost;
}

net::Awaitable<void> HttpSession::relay_answer(Connection& connection) {
  status_ = answer_.status;
  const bool was_alive = alive_;
  plan_answer();
  const bool gateway_error = status_ >= 502 && status_ <= 504;
  connection.in.consume(answer_head_size_);
  http::BodyDecoder decoder;
  decoder.begin(answer_.framing, answer_.length);
  const BodyEnd end = co_await relay_body(connection, decoder);
  connection.clear();
  const bool uploading = still_uploading();
  if (end == BodyEnd::kBadStart) {
    alive_ = was_alive;
    finish_try(balancer::Outcome::kReset);
    co_await stop_pump();
    co_await fail(TryEnd::kBadAnswer);
    co_return;
  }
  if (try_open_) {
    upstream_->metrics().answered(*instance_, status_);
  }
  if (end != BodyEnd::kWhole) {
    // The client must see the cut: no last chunk, no clean end where the close is the end.
    alive_ = false;
    reset_on_close_ =
        reset_on_close_ || (end == BodyEnd::kCut && answer_framing_ == http::Framing::kUntilClose);
    error_ = end == BodyEnd::kCut ? "http_response_incomplete" : gone();
    finish_try(end == BodyEnd::kCut ? balancer::Outcome::kReset : balancer::Outcome::kNeutral);
  } else {
    finish_try(gateway_error ? balancer::Outcome::kGatewayError : balancer::Outcome::kSuccess);
    if (answer_.keep_alive && connection.in.empty() && !uploading && sent_whole_ &&
        answer_.framing != http::Framing::kUntilClose) {
      upstream_->keep(*instance_, std::move(connection_), Clock::now());
    }
  }
  if (uploading) {
    alive_ = false;
    unread_input_ = true;
  }
  if (pumping_) {
    co_await stop_pump();  // where it has done its work it just is not gone yet
  }
}

net::Awaitable<HttpSession::BodyEnd> HttpSession::relay_body(Connection& connection,
                                                             http::BodyDecoder& decoder) {
  bool head_sent = false;
  std::array<char, 20> header{};
  net::SpliceWay way(worker_->pipes);
  const bool as_it_is = answer_framing_ == answer_.framing;
  if (decoder.plain_left() >= kWorthAPipe + connection.in.size()) {
    way.choice.expect_bulk();
  }
  for (;;) {
    const auto step = decoder.decode({connection.in.begin(), connection.in.size()});
    if (step.state == http::BodyDecoder::State::kBad) {
      co_return head_sent ? BodyEnd::kCut : BodyEnd::kBadStart;
    }
    net::Gather gather;
    const bool first = !head_sent;
    if (first) {
      gather.add(scratch_->answer_bytes);
      head_sent = true;
    }
    const bool chunked = answer_framing_ == http::Framing::kChunked;
    if (!step.data.empty()) {
      if (chunked) {
        gather.add({header.data(), http::write_chunk_header(step.data.size(), header)});
      }
      gather.add(step.data);
      if (chunked) {
        gather.add("\r\n");
      }
      body_out_ += step.data.size();
    }
    std::string end;
    if (decoder.done() && chunked && !write_answer_end(decoder, end)) {
      co_return first ? BodyEnd::kBadStart : BodyEnd::kCut;
    }
    gather.add(end);
    if (!gather.empty()) {
      net::ErrorCode error;
      const bool sent = net::write_now(client_, gather, error);
      if (!sent) {
        error = co_await net::write_rest(client_, gather, [this] {
          write_deadline_.expect_within(Clock::now() + options().timeouts.write);
        });
        client_took(error);
      }
      if (error) {
        co_return BodyEnd::kClientGone;
      }
    }
    connection.in.consume(step.consumed);
    if (decoder.done()) {
      co_return BodyEnd::kWhole;
    }
    ReadEnd read = ReadEnd::kSpliced;
    while (read == ReadEnd::kSpliced) {
      read = co_await read_more(connection, way, as_it_is ? decoder.plain_left() : 0);
      if (read == ReadEnd::kSpliced) {
        decoder.skip(way.pipe.held());
        body_out_ += way.pipe.held();
        const auto error = co_await drain_to_client(way);
        if (error) {
          co_return BodyEnd::kClientGone;
        }
        if (decoder.done()) {
          co_return BodyEnd::kWhole;
        }
      }
    }
    if (read == ReadEnd::kEnd && !send_was_reset_ && decoder.end_of_stream()) {
      continue;
    }
    if (read != ReadEnd::kBytes) {
      // What the client broke off is no fault of the instance.
      const bool by_client =
          cut_ || (pump_problem_ != TryEnd::kAnswer && pump_problem_ != TryEnd::kTimeout);
      co_return by_client ? BodyEnd::kClientGone : BodyEnd::kCut;
    }
  }
}

bool HttpSession::write_answer_end(const http::BodyDecoder& decoder, std::string& out) {
  std::vector<http::Field> fields;
  if (answer_.framing == http::Framing::kChunked &&
      !http::parse_trailers(decoder.trailers(), fields)) {
    return false;
  }
  out.append("0\r\n");
  http::write_trailers(fields, http::HopByHop(scratch_->connection_names), out);
  return true;
}

net::Awaitable<net::ErrorCode> HttpSession::drain_to_client(net::SpliceWay& way) {
  net::ErrorCode error;
  const bool sent = net::drain_now(client_, *way.pipe, error);
  if (!sent) {
    error = co_await net::drain_rest(client_, *way.pipe, [this] {
      write_deadline_.expect_within(Clock::now() + options().timeouts.write);
    });
    client_took(error);
  }
  co_return error;
}

net::Awaitable<HttpSession::ReadEnd> HttpSession::read_more(Connection& connection,
                                                            net::SpliceWay& way,
                                                            std::uint64_t plain) {
  bool yield = ++reads_ % net::kTurns == 0;
  for (;;) {
    const auto [error, size] =
        yield ? net::IoResult{net::asio::error::would_block, 0}
              : net::read_some<ClientStream>(connection.stream, connection.in, way, plain);
    yield = false;
    if (!error) {
      upstream_->metrics().received(size);
      co_return way.pipe.held() > 0 ? ReadEnd::kSpliced : ReadEnd::kBytes;
    }
    if (!net::would_block(error)) {
      co_return error == net::asio::error::eof ? ReadEnd::kEnd : ReadEnd::kBroken;
    }
    connection.in.release_if_empty();
    way.pipe.release();
    connection.stream.hurry_peer();
    connection.expect_within(Clock::now() + options().timeouts.body);
    const auto waited = co_await connection.stream.wait_readable();
    connection.clear();
    if (std::get<0>(waited)) {
      co_return ReadEnd::kBroken;
    }
  }
}

net::Awaitable<void> HttpSession::switch_protocols(Connection& connection) {
  status_ = 101;
  upstream_->metrics().answered(*instance_, status_);
  scratch_->answer_bytes.clear();
  http::ResponseRewrite rewrite;
  rewrite.more = cookie_field();
  http::write_response(answer_, rewrite, scratch_->answer_bytes);
  alive_ = false;
  net::Gather gather;
  gather.add(scratch_->answer_bytes);
  if (const auto error = co_await send_to_client(gather)) {
    error_ = "client_gone";
    finish_try(balancer::Outcome::kNeutral);
    co_return;
  }
  upstream_->reached(*instance_, Clock::now());  // a probe has its answer; the stream runs on
  upstream_->metrics().final_answer(Clock::now() - arrived_);
  exchanging_ = false;  // from here on the relay notices who leaves
  client_.unwatch();
  tunnel_ = true;
  keep_request_line();
  connection.in.consume(answer_head_size_);
  in_.consume(head_size_ + body_.consumed_at_start());
  head_size_ = 0;
  take_late_input();
  RelayCount count;
  count.up = [this](std::uint64_t n) { upstream_->metrics().sent(n); };
  count.down = [this](std::uint64_t n) { upstream_->metrics().received(n); };
  Relay<ClientStream, UpstreamStream> relay(*worker_, client_, in_, connection.stream,
                                            connection.in, options().idle_timeout,
                                            std::move(count));
  Upstream::tunnel_began(*instance_);
  const RelayEnd end = co_await relay.run();
  tunnel_ = false;
  Upstream::tunnel_ended(*instance_);
  finish_try(end.broken ? balancer::Outcome::kNeutral : balancer::Outcome::kSuccess);
  tunnel_in_ = end.up;
  body_out_ = end.down;
  reset_on_close_ = end.broken;
  error_ = end.idle ? "idle_timeout" : end.broken ? "connection_terminated" : "";
  if (end.broken) {
    connection.stream.reset();  // a FIN would look like an end
  }
}

void HttpSession::keep_request_line() {
  // For the access log; nothing repeats the request any more.
  auto& kept = scratch_->request_bytes;
  kept.assign(request_.method_text).append(request_.target);
  const auto method_size = request_.method_text.size();
  request_.clear();  // its views are gone with the head
  request_.method_text = std::string_view(kept).substr(0, method_size);
  request_.target = std::string_view(kept).substr(method_size);
}

}  // namespace pilotfish::proxy
