#include "app/admin_server.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <list>
#include <optional>
#include <string>
#include <utility>

#include "net/notifier.hpp"

namespace pilotfish::app {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Reply = http::response<http::string_body>;

constexpr std::size_t kHeadLimit = 8UL * 1024;
constexpr std::size_t kBodyLimit = 4UL * 1024;
/// Any honest client has sent its request by then; only asked when no connection is left.
constexpr Duration kLongWhenFull = std::chrono::milliseconds(500);

/// A connection and its one deadline. Shared with the deadline's handler alone.
struct Session : std::enable_shared_from_this<Session> {
  explicit Session(net::TcpSocket accepted)
      : socket(std::move(accepted)), timer(socket.get_executor()) {}

  /// From now on what runs on the socket is cancelled after `limit`, and `timed_out` set.
  void limit_to(Duration limit) {
    timed_out = false;
    timer.expires_after(limit);
    timer.async_wait([self = shared_from_this(), mine = ++generation](const net::ErrorCode& error) {
      if (!error && mine == self->generation) {
        self->timed_out = true;
        self->socket.cancel();
      }
    });
  }
  void close() {
    ++generation;
    timer.cancel();
    net::ErrorCode ignored;
    (void)socket.close(ignored);
  }

  net::TcpSocket socket;
  net::Timer timer;
  beast::flat_buffer buffer{kHeadLimit + kBodyLimit};
  std::uint64_t generation = 0;  // of the deadline that counts
  bool timed_out = false;
  bool idle = false;          ///< waits for a request's first byte
  TimePoint reading_since{};  ///< a request is on its way since then; zero: none is
};
using Sessions = std::list<std::shared_ptr<Session>>;

unsigned status_of(const net::ErrorCode& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow) {
    return 431;
  }
  return error == http::error::body_limit ? 413 : 400;
}

std::string_view text_of(unsigned status) {
  switch (status) {
    case 408: return "The request took too long.\n";
    case 413: return "The body is too large.\n";
    case 431: return "The head is too large.\n";
    default: return "This is no HTTP request.\n";
  }
}

}  // namespace

struct AdminServer::Impl : std::enable_shared_from_this<AdminServer::Impl> {
  Impl(net::IoContext& io, Descriptor listener, bool is_v6, AdminServerOptions options_in,
       AdminSource& source_in, Logger& logger_in)
      : acceptor(io.get_executor()),
        options(options_in),
        source(source_in),
        logger(logger_in),
        changed(io.get_executor()),
        pause(io.get_executor()) {
    acceptor.assign(is_v6 ? asio::ip::tcp::v6() : asio::ip::tcp::v4(), listener.release());
  }

  net::Awaitable<void> accept_loop();
  net::Awaitable<void> serve(Sessions::iterator session);
  net::Awaitable<bool> serve_one(Session& session, bool first);
  net::Awaitable<bool> send(Session& session, Reply reply, bool head_only);
  net::Awaitable<void> close(Session& session);
  void make_room();

  net::TcpAcceptor acceptor;
  AdminServerOptions options;
  AdminSource& source;
  Logger& logger;
  net::Notifier changed;  // a session ended
  net::Timer pause;
  Sessions sessions;  // those that have waited longest come first
  bool stopping = false;
};

void AdminServer::Impl::make_room() {
  const auto idle = std::ranges::find_if(sessions, [](const auto& one) { return one->idle; });
  if (idle != sessions.end()) {
    (*idle)->idle = false;
    (*idle)->socket.cancel();
    return;
  }
  // Nobody idles: whoever takes long over a request goes, so that a crowd of them cannot keep a
  // health check waiting until their deadlines.
  const auto now = Clock::now();
  const auto slow = std::ranges::find_if(sessions, [now](const auto& one) {
    return one->reading_since != TimePoint{} && now - one->reading_since > kLongWhenFull;
  });
  if (slow != sessions.end()) {
    (*slow)->reading_since = {};
    (*slow)->socket.cancel();
  }
}

net::Awaitable<void> AdminServer::Impl::accept_loop() {
  const auto self = shared_from_this();
  while (!stopping) {
    while (sessions.size() >= options.max_connections && !stopping) {
      make_room();
      (void)co_await changed.wait_until(Clock::now() + std::chrono::milliseconds(100));
    }
    auto accepted = co_await acceptor.async_accept(net::kTuple);
    if (stopping) {
      break;
    }
    if (std::get<0>(accepted)) {
      logger.warn("admin: a connection could not be accepted",
                  {{"error", std::get<0>(accepted).message()}});
      pause.expires_after(std::chrono::milliseconds(100));
      (void)co_await pause.async_wait(net::kTuple);
      continue;
    }
    const auto session = sessions.insert(
        sessions.end(), std::make_shared<Session>(std::move(std::get<1>(accepted))));
    asio::co_spawn(acceptor.get_executor(), serve(session), asio::detached);
  }
}

net::Awaitable<void> AdminServer::Impl::serve(Sessions::iterator session) {
  const auto self = shared_from_this();
  bool more = true;
  for (bool first = true; more && !stopping; first = false) {
    more = co_await serve_one(**session, first);
  }
  (*session)->close();
  sessions.erase(session);
  changed.notify_all();
}

net::Awaitable<bool> AdminServer::Impl::serve_one(Session& session, bool first) {
  if (!first && session.buffer.size() == 0) {
    session.idle = true;
    session.limit_to(options.idle_timeout);
    const auto more =
        co_await session.socket.async_read_some(session.buffer.prepare(2048), net::kTuple);
    if (std::get<0>(more) || !session.idle) {
      co_return false;
    }
    session.idle = false;
    session.buffer.commit(std::get<1>(more));
  }
  http::request_parser<http::string_body> parser;
  parser.header_limit(kHeadLimit);
  parser.body_limit(kBodyLimit);
  session.limit_to(options.head_timeout);
  session.reading_since = Clock::now();
  const auto read = co_await http::async_read(session.socket, session.buffer, parser, net::kTuple);
  session.reading_since = {};
  const net::ErrorCode error = std::get<0>(read);
  if (error == http::error::end_of_stream || stopping) {
    co_return false;
  }
  Reply reply;
  bool head_only = false;
  if (error) {
    // What came over the network is answered; a connection that broke is not.
    if (session.timed_out ? !parser.got_some()
                          : error.category() != http::make_error_code(http::error{}).category()) {
      co_return false;
    }
    const unsigned status = session.timed_out ? 408 : status_of(error);
    reply.result(status);
    reply.version(11);
    reply.keep_alive(false);
    reply.set(http::field::content_type, "text/plain; charset=utf-8");
    reply.body() = text_of(status);
  } else {
    const auto& message = parser.get();
    AdminRequest request;
    request.method = message.method_string();
    request.target = message.target();
    request.host = message[http::field::host];
    request.http_1_0 = message.version() < 11;
    const AdminReply answer = co_await answer_admin(request, options.any_host, source);
    head_only = message.method() == http::verb::head;
    reply.result(static_cast<unsigned>(answer.status));
    reply.version(message.version());
    reply.keep_alive(message.keep_alive());
    reply.set(http::field::content_type, answer.content_type);
    if (answer.status == 405) {
      reply.set(http::field::allow, "GET, HEAD");
    }
    reply.body() = answer.body;
  }
  reply.set(http::field::server, "pilotfish");
  reply.set(http::field::cache_control, "no-store");
  reply.set("X-Content-Type-Options", "nosniff");
  co_return co_await send(session, std::move(reply), head_only);
}

net::Awaitable<bool> AdminServer::Impl::send(Session& session, Reply reply, bool head_only) {
  reply.prepare_payload();  // HEAD has the length that GET would have
  http::response_serializer<http::string_body> serializer(reply);
  session.limit_to(options.write_timeout);
  net::ErrorCode error;
  if (head_only) {
    const auto written = co_await http::async_write_header(session.socket, serializer, net::kTuple);
    error = std::get<0>(written);
  } else {
    const auto written = co_await http::async_write(session.socket, serializer, net::kTuple);
    error = std::get<0>(written);
  }
  if (error) {
    co_return false;
  }
  if (reply.keep_alive()) {
    co_return true;
  }
  co_await close(session);
  co_return false;
}

net::Awaitable<void> AdminServer::Impl::close(Session& session) {
  // FIN first, then discard for a moment: unread input would turn the close into a reset, and the
  // reset could overtake the answer.
  net::ErrorCode ignored;
  (void)session.socket.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  session.buffer.clear();
  session.limit_to(std::chrono::seconds(1));
  for (int rounds = 0; rounds < 32; ++rounds) {
    const auto discarded =
        co_await session.socket.async_read_some(session.buffer.prepare(2048), net::kTuple);
    if (std::get<0>(discarded)) {
      co_return;
    }
  }
}

AdminServer::AdminServer(net::IoContext& io, Descriptor listener, bool is_v6,
                         AdminServerOptions options, AdminSource& source, Logger& logger)
    : impl_(std::make_shared<Impl>(io, std::move(listener), is_v6, options, source, logger)) {}

AdminServer::~AdminServer() {
  stop();
}

void AdminServer::start() {
  asio::co_spawn(impl_->acceptor.get_executor(), impl_->accept_loop(), asio::detached);
}

void AdminServer::set_any_host(bool any_host) {
  impl_->options.any_host = any_host;
}

void AdminServer::finish() {
  impl_->stopping = true;
  net::ErrorCode ignored;
  (void)impl_->acceptor.close(ignored);
  impl_->pause.cancel();
  impl_->changed.notify_all();
  for (const auto& session : impl_->sessions) {
    if (session->idle) {
      session->socket.cancel();
    }
  }
}

void AdminServer::stop() {
  finish();
  for (const auto& session : impl_->sessions) {
    session->close();
  }
}

std::size_t AdminServer::connections() const {
  return impl_->sessions.size();
}

}  // namespace pilotfish::app
