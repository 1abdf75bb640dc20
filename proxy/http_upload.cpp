// The request's way up: head and body to the instance, while its answer may already be coming.
#include <boost/asio/co_spawn.hpp>

#include "http/h1_writer.hpp"
#include "proxy/http_session.hpp"

namespace pilotfish::proxy {

bool HttpSession::prepare_request() {
  scratch_->request_bytes.clear();
  request_end_.clear();
  late_end_.clear();
  http::RequestRewrite rewrite;
  rewrite.client_address = client_address_;
  rewrite.fallback_host = options().name;
  const auto& host = options().host;
  const bool instances_own = host.kind == HostRule::Kind::kInstance;
  if (host.kind != HostRule::Kind::kKeep) {
    rewrite.host = instances_own ? std::string_view("-") : host.name;
  }
  http::write_request(request_, rewrite, scratch_->request_bytes);
  host_size_ = instances_own ? 1 : 0;
  if (body_.chunked() && !body_.first().empty()) {
    first_header_size_ = http::write_chunk_header(body_.first().size(), first_header_);
    request_end_.append("\r\n");
  } else {
    first_header_size_ = 0;
  }
  return !body_.complete() || body_.write_end(request_end_);
}

void HttpSession::take_late_input() {
  const auto rest = body_in_.readable();
  if (!rest.empty()) {
    const auto room = in_.make_room();
    std::memcpy(room.data(), rest.data(), rest.size());
    in_.commit(rest.size());
    body_in_.release();
  }
}

/// Each try says its own instance's name: in place, as the memory is kept from request to request.
void HttpSession::name_instance() {
  if (host_size_ == 0) {
    return;
  }
  constexpr std::string_view kBefore = "\r\nHost: ";
  auto& bytes = scratch_->request_bytes;
  const auto& name = instance_->authority();
  bytes.replace(bytes.find('\r') + kBefore.size(), host_size_, name);
  host_size_ = name.size();
}

net::Gather HttpSession::request_gather() {
  net::Gather gather;
  gather.add(scratch_->request_bytes);
  gather.add({first_header_.data(), first_header_size_});
  gather.add(body_.first());
  gather.add(request_end_);
  if (const auto& later = body_.later(); !later.empty()) {
    // A repeat: what was read since the head goes along; the rest follows from the client.
    if (body_.chunked()) {
      later_header_size_ = http::write_chunk_header(later.size(), later_header_);
      gather.add({later_header_.data(), later_header_size_});
    }
    gather.add(later);
    if (body_.chunked()) {
      gather.add("\r\n");
    }
  }
  if (body_.complete()) {
    gather.add(late_end_);  // empty where the end came with the head
  }
  return gather;
}

void HttpSession::start_pump(Connection& connection) {
  pumping_ = true;
  pumped_ = false;
  pump_stop_ = false;
  net::asio::co_spawn(worker_->executor, pump(connection), [this](const std::exception_ptr&) {
    pumping_ = false;
    upload_.pipe.release();
    read_deadline_.also_cancel(nullptr);
    read_deadline_.clear();
    pump_ended_.notify_all();
  });
}

void HttpSession::note_sent(net::ErrorCode error) {
  sent_whole_ = !error;
  // An error is told once: where a reset was told to the write, a read sees a clean end. A broken
  // pipe came behind the instance's end, which was one.
  send_was_reset_ = error && error != net::asio::error::broken_pipe;
}

net::Awaitable<void> HttpSession::stop_pump() {
  while (pumping_) {
    pump_stop_ = true;
    client_.cancel();
    if (connection_) {
      connection_->stream.cancel();
    }
    (void)co_await pump_ended_.wait_until(Clock::now() + std::chrono::milliseconds(50));
  }
}

void HttpSession::pump_failed(Connection& connection, TryEnd problem) {
  if (!pump_stop_) {
    pump_problem_ = problem;
    connection.stream.cancel();  // wakes whoever reads the answer
  }
}

HttpSession::TryEnd HttpSession::digest_body(std::span<char, 20> header, net::Gather& gather,
                                             std::size_t& used) {
  const auto step = body_.feed({body_in_.begin(), body_in_.size()});
  if (step.state == http::BodyDecoder::State::kBad) {
    return TryEnd::kBadBody;
  }
  const auto limit = options().limits.body;
  if (limit > 0 && body_.received() > limit) {
    return TryEnd::kBodyTooLarge;
  }
  late_end_.clear();
  if (body_.complete() && !body_.write_end(late_end_)) {
    return TryEnd::kBadBody;
  }
  if (body_.chunked() && !step.data.empty()) {
    gather.add({header.data(), http::write_chunk_header(step.data.size(), header)});
  }
  gather.add(step.data);
  if (body_.chunked() && !step.data.empty()) {
    gather.add("\r\n");
  }
  gather.add(late_end_);
  used = step.consumed;
  return TryEnd::kAnswer;
}

net::Awaitable<void> HttpSession::pump(Connection& connection) {
  const auto progress = [this] {
    read_deadline_.expect_within(Clock::now() + options().timeouts.write);
  };
  read_deadline_.also_cancel(&connection.stream);
  std::uint32_t turns = 0;
  upload_.choice = {};
  if (body_.unread() >= kWorthAPipe) {
    upload_.choice.expect_bulk();
  }
  while (!body_.complete() && !pump_stop_) {
    body_in_.consume(body_in_.size());
    const bool yield = ++turns % net::kTurns == 0;
    const auto [error, size] =
        yield ? net::IoResult{net::asio::error::would_block, 0}
              : net::read_some<UpstreamStream>(client_, body_in_, upload_, body_.unread());
    if (error && net::would_block(error)) {
      upload_.pipe.release();
      // Who waits for leave to send is not late: until then it is the instance's time.
      if (!awaits_continue()) {
        read_deadline_.expect_within(Clock::now() + options().timeouts.body);
      }
      const auto waited = co_await client_.wait_readable();
      if (std::get<0>(waited)) {
        pump_failed(connection,
                    read_deadline_.expired() ? TryEnd::kClientStalled : TryEnd::kClientGone);
        co_return;
      }
      continue;
    }
    if (error) {
      pump_failed(connection, TryEnd::kClientGone);
      co_return;
    }
    if (!answer_begun_) {
      connection.clear();  // the instance's time begins with the last byte
    }
    std::size_t used = 0;
    net::ErrorCode failed;
    if (const auto spliced = upload_.pipe.held(); spliced > 0) {
      body_.pass(spliced);
      upstream_->metrics().sent(spliced);
      const bool sent = net::drain_now(connection.stream, *upload_.pipe, failed);
      if (!sent) {
        failed = co_await net::drain_rest(connection.stream, *upload_.pipe, progress);
      }
    } else {
      std::array<char, 20> header{};
      net::Gather gather;
      const auto problem = digest_body(header, gather, used);
      if (problem != TryEnd::kAnswer) {
        pump_failed(connection, problem);
        co_return;
      }
      upstream_->metrics().sent(gather.size());
      const bool sent = net::write_now(connection.stream, gather, failed);
      if (!sent) {
        failed = co_await net::write_rest(connection.stream, gather, progress);
      }
    }
    if (failed && read_deadline_.expired()) {
      pump_failed(connection, TryEnd::kTimeout);
      co_return;
    }
    read_deadline_.clear();
    body_in_.consume(used);
    if (failed) {
      note_sent(failed);
      break;  // an answer may be there all the same; its reader finds out
    }
  }
  if (!pump_stop_) {
    sent_at_ = Clock::now();
    if (!answer_begun_) {
      await_answer(connection);
    }
  }
  pumped_ = true;
}

}  // namespace pilotfish::proxy
