#include "proxy/check_probe.hpp"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/write.hpp>
#include <memory>
#include <string_view>

#include "http/h1_parser.hpp"
#include "http/head_scan.hpp"
#include "net/tcp_stream.hpp"

namespace pilotfish::proxy {
namespace {

namespace asio = net::asio;
namespace errc = boost::system::errc;

constexpr std::size_t kMostRead = 64UL * 1024;
constexpr int kMostInterim = 16;
/// What an instance that passed gets to end its answer, so that its close is not met by a reset.
constexpr Duration kGoodbye = std::chrono::milliseconds(200);

/// Shared with the timer's handler, which may still be queued when the probe is over.
struct Attempt {
  explicit Attempt(net::Executor executor) : socket(executor), timer(executor) {}
  net::TcpSocket socket;
  net::Timer timer;
  bool expired = false;
};

void end_at(const std::shared_ptr<Attempt>& attempt, TimePoint deadline) {
  attempt->timer.expires_at(deadline);
  attempt->timer.async_wait([weak = std::weak_ptr(attempt)](net::ErrorCode error) {
    if (const auto held = weak.lock(); held && !error) {
      held->expired = true;
      net::ErrorCode ignored;
      held->socket.close(ignored);
    }
  });
}

std::string duration_text(Duration time) {
  using namespace std::chrono;
  const auto millis = duration_cast<milliseconds>(time).count();
  return millis % 1000 == 0 ? std::to_string(millis / 1000) + "s" : std::to_string(millis) + "ms";
}

bool is_our_own_trouble(const net::ErrorCode& error) {
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory ||
         error == errc::address_not_available;
}

ProbeResult failure(std::string why) {
  return {false, true, std::move(why)};
}

ProbeResult failure(const Attempt& attempt, const net::ErrorCode& error, const ActiveCheck& check) {
  if (attempt.expired) {
    return failure("no answer in " + duration_text(check.timeout));
  }
  auto text = error.message();
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return {false, !is_our_own_trouble(error), std::move(text)};
}

/// Judges the head in `bytes`, if it is whole; interim ones are taken away.
struct Judged {
  bool done = false;
  ProbeResult result;
  std::size_t whole = 0;  ///< how many bytes the answer has; 0 where only its end tells
};
Judged judge(std::string& bytes, int& interim, const std::string& what) {
  Judged out;
  http::ResponseHead head;
  while (!out.done) {
    http::HeadScan scan;
    const auto state = scan.scan(bytes);
    if (state == http::HeadScan::State::kMore) {
      return out;
    }
    const auto text = std::string_view(bytes).substr(0, scan.length());
    head.clear();
    if (state == http::HeadScan::State::kBad ||
        http::parse_response(text, http::Method::kGet, head) != http::Refusal::kNone) {
      return {true, failure(what + "no valid HTTP"), 0};
    }
    if (head.status >= 200 || head.status == 101) {
      out.done = true;
      out.result.passed = head.status >= 200 && head.status < 300;
      out.result.why = out.result.passed ? "" : what + std::to_string(head.status);
      const bool sized = head.framing == http::Framing::kLength && head.length <= kMostRead;
      out.whole = head.framing == http::Framing::kNone ? scan.length()
                  : sized ? scan.length() + static_cast<std::size_t>(head.length)
                          : 0;
    } else if (++interim > kMostInterim) {
      return {true, failure(what + "too many interim answers"), 0};
    } else {
      bytes.erase(0, scan.length());
    }
  }
  return out;
}

net::Awaitable<ProbeResult> ask(std::shared_ptr<Attempt> attempt, const ActiveCheck& check,
                                const std::string& host) {
  const std::string what = "GET " + check.path + ": ";
  const std::string request = "GET " + check.path + " HTTP/1.1\r\nHost: " + host +
                              "\r\nUser-Agent: pilotfish\r\nAccept: */*\r\n"
                              "Connection: close\r\n\r\n";
  const auto sent = co_await asio::async_write(attempt->socket, asio::buffer(request), net::kTuple);
  // An instance may answer and close before it has read everything: its answer still counts.
  if (const auto error = std::get<0>(sent);
      error && error != errc::broken_pipe && error != errc::connection_reset) {
    co_return failure(*attempt, error, check);
  }
  std::string bytes;
  int interim = 0;
  Judged judged;
  while (bytes.size() < kMostRead && !(judged.done && judged.whole <= bytes.size())) {
    const auto before = bytes.size();
    bytes.resize(before + 4096);
    const auto got = co_await attempt->socket.async_read_some(
        asio::buffer(bytes.data() + before, bytes.size() - before), net::kTuple);
    bytes.resize(before + std::get<1>(got));
    if (const auto error = std::get<0>(got)) {
      if (judged.done) {
        break;
      }
      co_return attempt->expired || error != asio::error::eof
          ? failure(*attempt, error, check)
          : failure(what + "closed without a whole answer");
    }
    if (!judged.done) {
      judged = judge(bytes, interim, what);
      if (judged.done && judged.whole == 0) {
        judged.whole = kMostRead;  // its end is awaited, for a moment
      }
      if (judged.done) {
        end_at(attempt, std::min(attempt->timer.expiry(), Clock::now() + kGoodbye));
      }
    }
  }
  co_return judged.done ? std::move(judged.result) : failure(what + "head of the answer too large");
}

}  // namespace

net::Awaitable<ProbeResult> probe(net::Executor executor, Endpoint endpoint, ActiveCheck check,
                                  std::string host) {
  const auto attempt = std::make_shared<Attempt>(executor);
  end_at(attempt, Clock::now() + check.timeout);
  const auto address = net::to_asio(endpoint);
  const auto connected = co_await attempt->socket.async_connect(address, net::kTuple);
  ProbeResult result;
  net::ErrorCode ignored;
  if (const auto error = std::get<0>(connected)) {
    result = failure(*attempt, error, check);
  } else if (attempt->socket.local_endpoint(ignored) == address) {
    result = failure("connection refused");  // a free port of loopback met itself
  } else if (check.kind == ActiveCheckKind::kHttp) {
    result = co_await ask(attempt, check, host);
  } else {
    result.passed = true;
  }
  attempt->timer.cancel();
  co_return result;
}

}  // namespace pilotfish::proxy
