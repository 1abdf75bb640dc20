#include "tests/support/fake_http.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <list>
#include <stdexcept>

namespace pilotfish::test {

namespace asio = net::asio;
namespace bhttp = boost::beast::http;
using Generic = asio::generic::stream_protocol;
using Socket = asio::basic_stream_socket<Generic, net::Executor>;

struct FakeHttp::State : std::enable_shared_from_this<FakeHttp::State> {
  State(net::IoContext& io, Handler on_request)
      : executor(io.get_executor()), handler(std::move(on_request)) {}

  net::Executor executor;
  Handler handler;
  std::string path;
  std::uint16_t port = 0;
  std::unique_ptr<net::TcpAcceptor> tcp;
  std::unique_ptr<asio::basic_socket_acceptor<asio::local::stream_protocol, net::Executor>> local;
  std::list<std::weak_ptr<Socket>> open;
  std::uint64_t life = 0;

  template <class Acceptor>
  net::Awaitable<void> serve(Acceptor& acceptor, std::uint64_t mine) {
    while (mine == life) {
      auto accepted = co_await acceptor.async_accept(executor, net::kTuple);
      if (std::get<0>(accepted)) {
        co_return;
      }
      auto socket = std::make_shared<Socket>(std::move(std::get<1>(accepted)));
      open.push_back(socket);
      asio::co_spawn(
          executor, [self = shared_from_this(), socket] { return self->answer(socket); },
          asio::detached);
    }
  }

  net::Awaitable<void> answer(std::shared_ptr<Socket> socket) {
    boost::beast::flat_buffer buffer;
    bhttp::request_parser<bhttp::string_body> parser;
    const auto got = co_await bhttp::async_read(*socket, buffer, parser, net::kTuple);
    if (std::get<0>(got)) {
      co_return;
    }
    FakeRequest request;
    request.method = std::string(parser.get().method_string());
    request.target = std::string(parser.get().target());
    request.body = parser.get().body();
    for (const auto& field : parser.get()) {
      request.headers.emplace_back(field.name_string(), field.value());
    }
    auto reply = handler ? handler(request) : FakeReply{.status = 500};
    net::Timer timer(executor);
    while (reply.later) {
      timer.expires_after(std::chrono::milliseconds(3));
      (void)co_await timer.async_wait(net::kTuple);
      if (!socket->is_open()) {
        co_return;
      }
      if (auto answer = reply.later()) {
        reply = std::move(*answer);
      }
    }
    if (reply.hang) {
      // Until the other side gives up, or down() cuts it.
      char ignored = 0;
      (void)co_await socket->async_read_some(asio::buffer(&ignored, 1), net::kTuple);
      co_return;
    }
    if (reply.delay > Duration::zero()) {
      timer.expires_after(reply.delay);
      (void)co_await timer.async_wait(net::kTuple);
    }
    std::string wire = reply.raw;
    if (wire.empty()) {
      wire = "HTTP/1.1 " + std::to_string(reply.status) + " Fake\r\nConnection: close\r\n" +
             "X-Fake: yes\r\n";
      for (const auto& [name, value] : reply.headers) {
        wire += name + ": " + value + "\r\n";
      }
      wire += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n\r\n" + reply.body;
    }
    (void)co_await asio::async_write(*socket, asio::buffer(wire), net::kTuple);
  }
};

FakeHttp::FakeHttp(net::IoContext& io, Handler handler)
    : state_(std::make_shared<State>(io, std::move(handler))) {
  up();
}

FakeHttp::FakeHttp(net::IoContext& io, Handler handler, std::string path)
    : state_(std::make_shared<State>(io, std::move(handler))) {
  state_->path = std::move(path);
  up();
}

FakeHttp::~FakeHttp() {
  down();
  state_->handler = nullptr;
}

std::uint16_t FakeHttp::port() const {
  return state_->port;
}

void FakeHttp::up() {
  auto& state = *state_;
  const auto life = ++state.life;
  if (!state.path.empty()) {
    const asio::local::stream_protocol::endpoint endpoint(state.path);
    state.local =
        std::make_unique<asio::basic_socket_acceptor<asio::local::stream_protocol, net::Executor>>(
            state.executor, endpoint);
    asio::co_spawn(
        state.executor, [s = state_, life] { return s->serve(*s->local, life); }, asio::detached);
    return;
  }
  const asio::ip::tcp::endpoint endpoint(asio::ip::address_v4::loopback(), state.port);
  state.tcp = std::make_unique<net::TcpAcceptor>(state.executor, endpoint);
  state.port = state.tcp->local_endpoint().port();
  asio::co_spawn(
      state.executor, [s = state_, life] { return s->serve(*s->tcp, life); }, asio::detached);
}

void FakeHttp::down() {
  auto& state = *state_;
  ++state.life;
  net::ErrorCode ignored;
  if (state.tcp) {
    state.tcp->close(ignored);
  }
  if (state.local) {
    state.local->close(ignored);
  }
  for (const auto& weak : state.open) {
    if (const auto socket = weak.lock()) {
      socket->close(ignored);
    }
  }
  state.open.clear();
}

std::string FakeRequest::header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

}  // namespace pilotfish::test
