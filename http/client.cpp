#include "http/client.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/basic_resolver.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <charconv>
#include <memory>
#include <utility>

namespace pilotfish::http {

struct ClientCancelAccess {
  /// False where it was cancelled before.
  static bool arm(ClientCancel& cancel, std::function<void()> close) {
    cancel.close_ = std::move(close);
    return !cancel.cancelled_;
  }
};

void ClientCancel::cancel() {
  cancelled_ = true;
  if (const auto close = std::exchange(close_, nullptr)) {
    close();
  }
}

namespace {

namespace asio = net::asio;
namespace bhttp = boost::beast::http;

using UnixSocket = asio::basic_stream_socket<asio::local::stream_protocol, net::Executor>;

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// Socket, its deadline, and what Beast reads into; shared with the timer's handler, which may
/// still be queued when the request is over.
template <class Socket>
struct Connection {
  explicit Connection(net::Executor executor) : socket(executor), timer(executor) {}
  Socket socket;
  net::Timer timer;
  bool expired = false;
};

/// Lets request.cancel close this connection; false where it was cancelled before.
template <class Socket>
bool cancellable(const std::shared_ptr<Connection<Socket>>& connection,
                 const ClientRequest& request) {
  if (!request.cancel) {
    return true;
  }
  return ClientCancelAccess::arm(*request.cancel, [weak = std::weak_ptr(connection)] {
    if (const auto held = weak.lock()) {
      net::ErrorCode ignored;
      held->socket.close(ignored);
    }
  });
}

template <class Socket>
void arm(const std::shared_ptr<Connection<Socket>>& connection, TimePoint deadline) {
  connection->timer.expires_at(deadline);
  connection->timer.async_wait([weak = std::weak_ptr(connection)](net::ErrorCode ec) {
    if (const auto held = weak.lock(); held && !ec) {
      held->expired = true;
      net::ErrorCode ignored;
      held->socket.close(ignored);
    }
  });
}

std::string explain(net::ErrorCode ec, std::size_t max_body) {
  if (ec == bhttp::error::end_of_stream) {
    return "closed without an answer";
  }
  if (ec == bhttp::error::partial_message) {
    return "answer cut short";
  }
  if (ec == bhttp::error::body_limit) {
    return "answer larger than " + std::to_string(max_body / (1024 * 1024)) + " MiB";
  }
  if (ec == bhttp::error::header_limit || ec == bhttp::error::buffer_overflow) {
    return "head of the answer too large";
  }
  auto text = ec.message();
  if (ec.category() == bhttp::make_error_code(bhttp::error::bad_version).category()) {
    return "answer is not HTTP (" + text + ")";
  }
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z') {
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  }
  return text;
}

ClientResult failure(const ClientTarget& target, bool expired, net::ErrorCode ec, bool sent,
                     std::size_t max_body = kMaxClientBody) {
  ClientResult result;
  result.error =
      target.to_string() + ": " + (expired ? "no answer in time" : explain(ec, max_body));
  result.timed_out = expired;
  result.sent = sent;
  result.broken = ec == bhttp::error::end_of_stream || ec == bhttp::error::partial_message ||
                  ec == asio::error::connection_reset || ec == asio::error::eof;
  return result;
}

std::string serialise(const ClientTarget& target, const ClientRequest& request) {
  std::string wire = request.method + ' ' + (request.path.empty() ? target.path : request.path);
  wire += " HTTP/1.1\r\nHost: ";
  wire += target.unix_path.empty() ? target.to_string() : "localhost";
  wire += "\r\nConnection: close\r\nUser-Agent: pilotfish\r\nAccept: */*\r\n";
  for (const auto& [name, value] : request.headers) {
    wire += name + ": " + value + "\r\n";
  }
  if (!request.body.empty()) {
    wire += "Content-Type: " + request.content_type + "\r\n";
  }
  if (!request.body.empty() || request.method == "PUT" || request.method == "POST") {
    wire += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return wire + "\r\n" + request.body;
}

bool sendable(const ClientTarget& target, const ClientRequest& request) {
  bool good = !has_control(target.host) && !has_control(request.method) &&
              !has_control(request.path) && request.path.find(' ') == std::string::npos &&
              !has_control(target.path) && target.path.find(' ') == std::string::npos &&
              !has_control(request.content_type);
  for (const auto& [name, value] : request.headers) {
    good = good && !has_control(name) && !has_control(value);
  }
  return good;
}

template <class Socket>
net::Awaitable<ClientResult> exchange(std::shared_ptr<Connection<Socket>> connection,
                                      const ClientTarget& target, const ClientRequest& request) {
  const std::string wire = serialise(target, request);
  const auto written =
      co_await asio::async_write(connection->socket, asio::buffer(wire), net::kTuple);
  const auto write_error = std::get<0>(written);
  // A server may answer and close before it has read everything: its answer still counts.
  if (write_error && write_error != asio::error::broken_pipe &&
      write_error != asio::error::connection_reset) {
    co_return failure(target, connection->expired, write_error, true);
  }
  boost::beast::flat_buffer buffer(kMaxClientHead + 65536);
  bhttp::response_parser<bhttp::string_body> parser;
  parser.header_limit(kMaxClientHead);
  parser.body_limit(request.max_body);
  const auto received = co_await bhttp::async_read(connection->socket, buffer, parser, net::kTuple);
  if (const auto ec = std::get<0>(received); ec) {
    co_return failure(target, connection->expired, ec, true, request.max_body);
  }
  auto& message = parser.get();
  ClientResult result;
  result.status = message.result_int();
  result.sent = true;
  for (const auto& field : message) {
    result.headers.emplace_back(field.name_string(), field.value());
  }
  result.body = std::move(message.body());
  co_return result;
}

struct Opened {
  std::shared_ptr<Connection<net::TcpSocket>> connection;
  net::ErrorCode error = asio::error::host_not_found;
  bool expired = false;
};

net::Awaitable<Opened> open_tcp(net::Executor executor, const ClientTarget& target,
                                const ClientRequest& request, TimePoint deadline) {
  Opened opened;
  const auto addresses = co_await resolve_host(executor, target.host, deadline);
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    auto connection = std::make_shared<Connection<net::TcpSocket>>(executor);
    // A silent address must leave time for those behind it.
    const auto now = Clock::now();
    const auto share = (deadline - now) / static_cast<Duration::rep>(addresses.size() - i);
    arm(connection, now + share);
    if (!cancellable(connection, request)) {
      opened.error = asio::error::operation_aborted;
      break;
    }
    const asio::ip::tcp::endpoint endpoint(addresses[i], target.port);
    const auto connected = co_await connection->socket.async_connect(endpoint, net::kTuple);
    opened.error = std::get<0>(connected);
    opened.expired = connection->expired;
    net::ErrorCode ignored;
    // On loopback a connection to a free ephemeral port can meet itself.
    if (!opened.error && connection->socket.local_endpoint(ignored) == endpoint) {
      opened.error = asio::error::connection_refused;
    }
    if (!opened.error && !opened.expired) {
      arm(connection, deadline);
      opened.connection = std::move(connection);
      break;
    }
  }
  co_return opened;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto* end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data(), end, port);
  if (text.empty() || parsed.ec != std::errc{} || parsed.ptr != end || port == 0) {
    return std::nullopt;
  }
  return port;
}

}  // namespace

std::optional<ClientTarget> ClientTarget::parse(std::string_view url) {
  ClientTarget target;
  if (url.starts_with("unix://")) {
    target.unix_path = url.substr(7);
    return target.unix_path.empty() ? std::nullopt : std::optional(target);
  }
  const bool schemed = url.starts_with("http://");
  if (schemed) {
    url.remove_prefix(7);
  } else if (url.find("://") != std::string_view::npos) {
    return std::nullopt;
  }
  const auto slash = url.find_first_of("/?");
  auto authority = url.substr(0, slash);
  if (slash != std::string_view::npos) {
    target.path = (url[slash] == '?' ? "/" : "") + std::string(url.substr(slash));
  }
  std::string_view port;
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) {
      return std::nullopt;
    }
    target.host = authority.substr(1, close - 1);
    port = authority.substr(close + 1);
    if (!port.empty() && port.front() != ':') {
      return std::nullopt;
    }
  } else {
    const auto colon = authority.find(':');
    target.host = authority.substr(0, colon);
    port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
  }
  if (!port.empty()) {
    const auto number = parse_port(port.substr(1));
    if (!number) {
      return std::nullopt;
    }
    target.port = *number;
  }
  if (target.host.empty() || target.host.find_first_of("@ ") != std::string::npos ||
      has_control(target.host) || (!schemed && port.empty())) {
    return std::nullopt;
  }
  return target;
}

std::string ClientTarget::to_string() const {
  if (!unix_path.empty()) {
    return "unix://" + unix_path;
  }
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

std::string_view ClientResult::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (boost::beast::iequals(key, name)) {
      return value;
    }
  }
  return {};
}

net::Awaitable<std::vector<asio::ip::address>> resolve_host(net::Executor executor,
                                                            std::string host, TimePoint deadline) {
  std::vector<asio::ip::address> addresses;
  net::ErrorCode ec;
  const auto literal = asio::ip::make_address(host, ec);
  if (!ec) {
    addresses.push_back(literal);
    co_return addresses;
  }
  if (boost::beast::iequals(host, "localhost")) {
    addresses.emplace_back(asio::ip::address_v4::loopback());
    addresses.emplace_back(asio::ip::address_v6::loopback());
    co_return addresses;
  }
  // The system's resolver runs on a thread and cannot be interrupted: its result is awaited
  // through a timer, and dropped where it comes too late.
  struct State {
    explicit State(net::Executor on) : resolver(on), timer(on) {}
    asio::ip::basic_resolver<asio::ip::tcp, net::Executor> resolver;
    net::Timer timer;
    std::vector<asio::ip::address> found;
  };
  auto state = std::make_shared<State>(executor);
  state->timer.expires_at(deadline);
  state->resolver.async_resolve(host, "", [state](net::ErrorCode error, const auto& results) {
    if (!error) {
      for (const auto& entry : results) {
        state->found.push_back(entry.endpoint().address());
      }
    }
    state->timer.cancel();
  });
  (void)co_await state->timer.async_wait(net::kTuple);
  co_return state->found;
}

net::Awaitable<ClientResult> fetch(net::Executor executor, ClientTarget target,
                                   ClientRequest request, TimePoint deadline) {
  if (!sendable(target, request)) {
    ClientResult refused;
    refused.error = target.to_string() + ": control character or space in the request";
    co_return refused;
  }
  if (!target.unix_path.empty()) {
    auto connection = std::make_shared<Connection<UnixSocket>>(executor);
    arm(connection, deadline);
    if (!cancellable(connection, request)) {
      co_return failure(target, false, asio::error::operation_aborted, false);
    }
    if (target.unix_path.size() >= 108) {
      co_return failure(target, false, asio::error::name_too_long, false);
    }
    const asio::local::stream_protocol::endpoint endpoint(target.unix_path);
    const auto connected = co_await connection->socket.async_connect(endpoint, net::kTuple);
    if (const auto ec = std::get<0>(connected); ec) {
      co_return failure(target, connection->expired, ec, false);
    }
    auto answer = co_await exchange(connection, target, request);
    co_return answer;
  }
  const auto opened = co_await open_tcp(executor, target, request, deadline);
  if (!opened.connection) {
    co_return failure(target, opened.expired, opened.error, false);
  }
  auto answer = co_await exchange(opened.connection, target, request);
  co_return answer;
}

net::Awaitable<std::string> try_connect(net::Executor executor, ClientTarget target,
                                        TimePoint deadline) {
  const ClientRequest none;
  const auto opened = co_await open_tcp(executor, target, none, deadline);
  co_return opened.connection ? std::string()
                              : failure(target, opened.expired, opened.error, false).error;
}

}  // namespace pilotfish::http
