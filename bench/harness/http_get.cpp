#include "bench/harness/http_get.hpp"

#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>

#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {

namespace asio = net::asio;
namespace beast = boost::beast;
namespace http = beast::http;

net::Result<HttpAnswer> http_get(const Endpoint& server, std::string_view path, Duration limit) {
  asio::io_context loop(1);
  beast::basic_stream<asio::ip::tcp, net::Executor> stream(loop.get_executor());
  beast::flat_buffer buffer;
  http::request<http::empty_body> request(http::verb::get, {path.data(), path.size()}, 11);
  request.set(http::field::host, server.to_string());
  request.set(http::field::connection, "close");
  http::response_parser<http::string_body> parser;
  parser.body_limit(64U * 1024U * 1024U);
  net::ErrorCode result = asio::error::timed_out;

  stream.expires_after(limit);
  const auto end = [&](net::ErrorCode ec, std::size_t = 0) { result = ec; };
  stream.async_connect(to_asio(server), [&](net::ErrorCode connected) {
    if (connected) return end(connected);
    http::async_write(stream, request, [&](net::ErrorCode written, std::size_t) {
      if (written) return end(written);
      http::async_read(stream, buffer, parser, end);
    });
  });
  loop.run();
  if (result) return result;
  return HttpAnswer{parser.get().result_int(), std::move(parser.get().body())};
}

}  // namespace pilotfish::bench
