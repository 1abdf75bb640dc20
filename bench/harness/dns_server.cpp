#include "bench/harness/dns_server.hpp"

#include <atomic>
#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <unordered_set>
#include <vector>

#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {

namespace asio = net::asio;
using Bytes = std::vector<std::uint8_t>;
using UdpSocket = asio::basic_datagram_socket<asio::ip::udp, net::Executor>;

struct DnsServer::State : std::enable_shared_from_this<State> {
  State(net::Executor loop, SharedCatalogue& shared, const DnsServerOptions& wanted)
      : executor(loop),
        catalogue(shared),
        options(wanted),
        random(wanted.seed),
        acceptor(loop),
        udp(loop) {}

  void bind() {
    constexpr int kTries = 20;  // a free TCP port may be taken on UDP
    for (int i = 1;; ++i) {
      acceptor = listen_on(executor, options.listen);
      const auto bound = acceptor.local_endpoint();
      const asio::ip::udp::endpoint same(bound.address(), bound.port());
      net::ErrorCode ec;
      udp = UdpSocket(executor, same.protocol());
      udp.bind(same, ec);
      if (!ec) return;
      if (options.listen.port != 0 || i == kTries) throw boost::system::system_error(ec);
    }
  }

  /// Empty where the client is to get nothing.
  Bytes reply_to(std::span<const std::uint8_t> bytes, DnsTransport transport) {
    const auto query = parse_query(bytes);
    const auto now = mood.load();
    if (!query || now == DnsMood::kSilent) return {};
    DnsMessage message;
    if (now == DnsMood::kAnswer) {
      message = catalogue.with([&](const Catalogue& content) {
        return answer_query(content, *query, options.zone, random);
      });
    } else {
      message.query = *query;
      message.authoritative = false;
      message.rcode = now == DnsMood::kRefuse ? DnsRcode::kRefused : DnsRcode::kServerFailure;
    }
    return encode_within(std::move(message), transport, options.zone.trim);
  }

  net::Awaitable<void> pause() {
    const Duration wait{delay.load()};
    if (wait <= Duration::zero()) co_return;
    net::Timer timer(executor, wait);
    co_await timer.async_wait(net::kTuple);
  }

  net::Awaitable<void> serve_udp() {
    const auto self = shared_from_this();
    Bytes buffer(65535);
    while (udp.is_open()) {
      asio::ip::udp::endpoint peer;
      const auto got = co_await udp.async_receive_from(asio::buffer(buffer), peer, net::kTuple);
      if (std::get<0>(got)) {
        if (std::get<0>(got) == asio::error::operation_aborted) co_return;
        continue;  // an ICMP error of an earlier answer
      }
      ++udp_queries;
      Bytes reply = reply_to({buffer.data(), std::get<1>(got)}, DnsTransport::kUdp);
      if (reply.empty()) continue;
      if (delay.load() > 0) {
        asio::co_spawn(executor, send_later(std::move(reply), peer), asio::detached);
      } else {
        net::ErrorCode ignored;
        udp.send_to(asio::buffer(reply), peer, 0, ignored);
      }
    }
  }

  net::Awaitable<void> send_later(Bytes reply, asio::ip::udp::endpoint peer) {
    const auto self = shared_from_this();
    co_await pause();
    net::ErrorCode ignored;
    if (udp.is_open()) udp.send_to(asio::buffer(reply), peer, 0, ignored);
  }

  net::Awaitable<void> accept() {
    const auto self = shared_from_this();
    while (acceptor.is_open()) {
      auto accepted = co_await acceptor.async_accept(net::kTuple);
      if (std::get<0>(accepted)) {
        if (!acceptor.is_open()) co_return;
        net::Timer timer(executor, std::chrono::milliseconds(10));  // no descriptors, most likely
        co_await timer.async_wait(net::kTuple);
        continue;
      }
      auto connection = std::make_shared<net::TcpSocket>(std::move(std::get<1>(accepted)));
      connections.insert(connection);
      asio::co_spawn(executor, serve_tcp(std::move(connection)), asio::detached);
    }
  }

  net::Awaitable<void> serve_tcp(std::shared_ptr<net::TcpSocket> connection) {
    const auto self = shared_from_this();
    co_await talk(*connection);
    connections.erase(connection);
  }

  net::Awaitable<void> talk(net::TcpSocket& socket) {
    Bytes buffer(65535);
    while (!stopped) {
      std::array<std::uint8_t, 2> head{};
      const auto first = co_await asio::async_read(socket, asio::buffer(head), net::kTuple);
      if (std::get<0>(first)) co_return;
      const std::size_t length = (std::size_t{head[0]} << 8U) | head[1];
      const auto rest =
          co_await asio::async_read(socket, asio::buffer(buffer, length), net::kTuple);
      if (std::get<0>(rest)) co_return;
      ++tcp_queries;
      const Bytes reply = reply_to({buffer.data(), length}, DnsTransport::kTcp);
      co_await pause();
      if (reply.empty()) continue;
      head = {static_cast<std::uint8_t>(reply.size() >> 8U),
              static_cast<std::uint8_t>(reply.size() & 0xffU)};
      const std::array<asio::const_buffer, 2> parts{asio::buffer(head), asio::buffer(reply)};
      const auto sent = co_await asio::async_write(socket, parts, net::kTuple);
      if (std::get<0>(sent)) co_return;
    }
  }

  net::Executor executor;
  SharedCatalogue& catalogue;
  const DnsServerOptions options;
  Random random;
  net::TcpAcceptor acceptor;
  UdpSocket udp;
  std::unordered_set<std::shared_ptr<net::TcpSocket>> connections;
  bool stopped = false;
  std::atomic<DnsMood> mood{DnsMood::kAnswer};
  std::atomic<Duration::rep> delay{0};
  std::atomic<std::uint64_t> udp_queries{0};
  std::atomic<std::uint64_t> tcp_queries{0};
};

DnsServer::DnsServer(net::Executor executor, SharedCatalogue& catalogue,
                     const DnsServerOptions& options)
    : state_(std::make_shared<State>(executor, catalogue, options)) {
  state_->bind();
  asio::co_spawn(executor, state_->serve_udp(), asio::detached);
  asio::co_spawn(executor, state_->accept(), asio::detached);
}

DnsServer::~DnsServer() {
  net::ErrorCode ignored;
  state_->stopped = true;
  state_->acceptor.close(ignored);
  state_->udp.close(ignored);
  for (const auto& connection : state_->connections) connection->close(ignored);
}

Endpoint DnsServer::endpoint() const {
  return from_asio(state_->acceptor.local_endpoint());
}
void DnsServer::set_mood(DnsMood mood) {
  state_->mood = mood;
}
void DnsServer::set_delay(Duration delay) {
  state_->delay = delay.count();
}
std::uint64_t DnsServer::udp_queries() const {
  return state_->udp_queries;
}
std::uint64_t DnsServer::tcp_queries() const {
  return state_->tcp_queries;
}

}  // namespace pilotfish::bench
