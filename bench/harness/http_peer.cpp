#include "bench/harness/http_peer.hpp"

#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <optional>

#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {

namespace asio = net::asio;
namespace beast = boost::beast;
namespace http = beast::http;

struct HttpPeer::State {
  using Stream = beast::basic_stream<asio::ip::tcp, net::Executor>;
  using Request = http::request<http::string_body>;

  explicit State(const Endpoint& peer) : server(peer) {}

  net::ErrorCode connect(TimePoint until) {
    stream.emplace(loop.get_executor());
    buffer.clear();
    net::ErrorCode result = asio::error::timed_out;
    stream->expires_at(until);
    stream->async_connect(to_asio(server), [&](net::ErrorCode ec) { result = ec; });
    run();
    if (!result) stream->socket().set_option(asio::ip::tcp::no_delay(true), result);
    return result;
  }

  net::Result<HttpAnswer> exchange(const Request& request, TimePoint until) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(64U * 1024U * 1024U);
    net::ErrorCode result = asio::error::timed_out;
    stream->expires_at(until);
    http::async_write(*stream, request, [&](net::ErrorCode written, std::size_t) {
      result = written;
      if (written) return;
      http::async_read(*stream, buffer, parser,
                       [&](net::ErrorCode ec, std::size_t) { result = ec; });
    });
    run();
    if (result || !parser.keep_alive()) stream.reset();
    if (result) return result;
    return HttpAnswer{parser.get().result_int(), std::move(parser.get().body())};
  }

  void run() {
    loop.restart();
    loop.run();
  }

  const Endpoint server;
  net::IoContext loop{1};
  std::optional<Stream> stream;
  beast::flat_buffer buffer;
};

HttpPeer::HttpPeer(const Endpoint& server) : state_(std::make_unique<State>(server)) {}
HttpPeer::~HttpPeer() = default;

net::Result<HttpAnswer> HttpPeer::call(std::string_view method, std::string_view path,
                                       std::string_view body, Duration limit) {
  const auto until = Clock::now() + limit;
  State::Request request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({path.data(), path.size()});
  request.set(http::field::host, state_->server.to_string());
  request.body() = body;
  if (!body.empty()) request.set(http::field::content_type, "application/json");
  request.prepare_payload();
  if (state_->stream) {
    auto answer = state_->exchange(request, until);
    if (answer || Clock::now() >= until) return answer;
  }
  if (const auto failed = state_->connect(until)) {
    state_->stream.reset();
    return failed;
  }
  return state_->exchange(request, until);
}

}  // namespace pilotfish::bench
