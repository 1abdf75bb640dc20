#include "tests/support/fake_dns_server.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <mutex>
#include <optional>
#include <span>
#include <stdexcept>
#include <thread>

#include "net/asio.hpp"

namespace pilotfish::test {
namespace {

using net::asio::ip::tcp;
using net::asio::ip::udp;
using UdpSocket = net::asio::basic_datagram_socket<udp, net::Executor>;

std::optional<DnsQuery> read_query(std::span<const std::uint8_t> bytes) {
  constexpr std::size_t kHeader = 12;
  DnsQuery out;
  if (bytes.size() < kHeader) {
    return std::nullopt;
  }
  out.id = static_cast<std::uint16_t>((bytes[0] << 8) | bytes[1]);
  std::size_t at = kHeader;
  while (at < bytes.size() && bytes[at] != 0) {
    const std::size_t length = bytes[at++];
    if (bytes.size() - at < length) {
      return std::nullopt;
    }
    out.name += out.name.empty() ? "" : ".";
    out.name.append(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                    bytes.begin() + static_cast<std::ptrdiff_t>(at + length));
    at += length;
  }
  if (bytes.size() < at + 5) {
    return std::nullopt;
  }
  out.type = static_cast<std::uint16_t>((bytes[at + 1] << 8) | bytes[at + 2]);
  const auto opt = bytes.subspan(at + 5);
  if (opt.size() >= 11 && opt[2] == 41) {
    out.edns_size = static_cast<std::size_t>((opt[3] << 8) | opt[4]);
  }
  out.at = Clock::now();
  return out;
}

Bytes framed(const Bytes& message) {
  Bytes out{static_cast<std::uint8_t>(message.size() >> 8U),
            static_cast<std::uint8_t>(message.size() & 0xffU)};
  out.insert(out.end(), message.begin(), message.end());
  return out;
}

}  // namespace

struct FakeDnsServer::Impl {
  Impl(Handler answer, Setup setup) : handler(std::move(answer)), datagrams(io), acceptor(io) {
    const auto address =
        setup.v6 ? net::asio::ip::make_address("::1") : net::asio::ip::make_address("127.0.0.1");
    constexpr int kTries = 20;  // the port may be free for UDP and taken for TCP
    for (int attempt = 0;; ++attempt) {
      datagrams = UdpSocket(io, udp::endpoint(address, 0));
      if (!setup.tcp) {
        break;
      }
      const tcp::endpoint same(address, datagrams.local_endpoint().port());
      net::ErrorCode error;
      acceptor = net::TcpAcceptor(io);
      acceptor.open(same.protocol());
      acceptor.set_option(net::TcpAcceptor::reuse_address(true));
      acceptor.bind(same, error);
      if (!error) {
        acceptor.listen();
        break;
      }
      if (attempt == kTries) {
        throw std::runtime_error("no port is free for both UDP and TCP");
      }
    }
    const auto bound = datagrams.local_endpoint();
    endpoint = Endpoint{*IpAddress::parse(bound.address().to_string()), bound.port()};
    net::asio::co_spawn(io.get_executor(), serve_datagrams(), net::asio::detached);
    if (setup.tcp) {
      net::asio::co_spawn(io.get_executor(), accept(), net::asio::detached);
    }
    thread = std::thread([this] { io.run(); });
  }

  ~Impl() {
    io.stop();
    thread.join();
  }

  DnsAction decide(DnsQuery query) {
    Handler current;
    {
      const std::lock_guard lock(mutex);
      seen.push_back(query);
      current = handler;
    }
    return current(query);
  }

  net::Awaitable<void> pause(Duration time) {
    if (time > Duration{}) {
      net::Timer timer(io.get_executor(), time);
      (void)co_await timer.async_wait(net::kTuple);
    }
  }

  net::Awaitable<void> answer_datagram(DnsQuery query, udp::endpoint from) {
    const auto action = decide(std::move(query));
    co_await pause(action.delay);
    for (std::size_t index = 0; index < action.messages.size(); ++index) {
      co_await pause(index == 0 ? Duration{} : action.between);
      net::ErrorCode ignored;
      if (index < action.strangers) {
        const auto own = datagrams.local_endpoint();
        UdpSocket stranger(
            io, index % 2 == 0
                    ? udp::endpoint(own.address(), 0)
                    : udp::endpoint(net::asio::ip::make_address("127.0.0.2"), own.port()));
        stranger.send_to(net::asio::buffer(action.messages[index]), from, 0, ignored);
        continue;
      }
      datagrams.send_to(net::asio::buffer(action.messages[index]), from, 0, ignored);
    }
  }

  net::Awaitable<void> serve_datagrams() {
    std::array<std::uint8_t, 4096> buffer{};
    for (;;) {
      udp::endpoint from;
      auto received =
          co_await datagrams.async_receive_from(net::asio::buffer(buffer), from, net::kTuple);
      if (std::get<0>(received)) {
        continue;  // an ICMP error of an earlier answer
      }
      auto query = read_query({buffer.data(), std::get<1>(received)});
      if (query) {
        net::asio::co_spawn(io.get_executor(), answer_datagram(std::move(*query), from),
                            net::asio::detached);
      }
    }
  }

  net::Awaitable<bool> write(net::TcpSocket& socket, const DnsAction& action) {
    for (const auto& message : action.messages) {
      const auto bytes = action.raw ? message : framed(message);
      const auto slice = action.slice == 0 ? bytes.size() : action.slice;
      for (std::size_t at = 0; at < bytes.size(); at += slice) {
        co_await pause(at == 0 ? Duration{} : action.between);
        const auto part = net::asio::buffer(bytes.data() + at, std::min(slice, bytes.size() - at));
        auto written = co_await net::asio::async_write(socket, part, net::kTuple);
        if (std::get<0>(written)) {
          co_return false;
        }
      }
    }
    co_return !action.close;
  }

  net::Awaitable<void> serve_stream(net::TcpSocket socket) {
    for (bool open = true; open;) {
      std::array<std::uint8_t, 2> length{};
      auto head = co_await net::asio::async_read(socket, net::asio::buffer(length), net::kTuple);
      if (std::get<0>(head)) {
        co_return;
      }
      Bytes bytes(static_cast<std::size_t>((length[0] << 8) | length[1]));
      auto body = co_await net::asio::async_read(socket, net::asio::buffer(bytes), net::kTuple);
      auto query = read_query(bytes);
      if (std::get<0>(body) || !query) {
        co_return;
      }
      query->tcp = true;
      const auto action = decide(std::move(*query));
      co_await pause(action.delay);
      open = co_await write(socket, action);
    }
  }

  net::Awaitable<void> accept() {
    for (;;) {
      auto accepted = co_await acceptor.async_accept(net::kTuple);
      if (std::get<0>(accepted)) {
        co_return;
      }
      net::TcpSocket socket = std::move(std::get<1>(accepted));
      net::asio::co_spawn(io.get_executor(), serve_stream(std::move(socket)), net::asio::detached);
    }
  }

  mutable std::mutex mutex;
  Handler handler;
  std::vector<DnsQuery> seen;
  net::IoContext io{1};
  UdpSocket datagrams;
  net::TcpAcceptor acceptor;
  Endpoint endpoint;
  std::thread thread;
};

FakeDnsServer::FakeDnsServer(Handler handler, Setup setup)
    : impl_(std::make_unique<Impl>(std::move(handler), setup)) {}

FakeDnsServer::~FakeDnsServer() = default;

Endpoint FakeDnsServer::endpoint() const {
  return impl_->endpoint;
}

void FakeDnsServer::handle_with(Handler handler) {
  const std::lock_guard lock(impl_->mutex);
  impl_->handler = std::move(handler);
}

std::vector<DnsQuery> FakeDnsServer::queries() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->seen;
}

std::size_t FakeDnsServer::count(bool tcp) const {
  const std::lock_guard lock(impl_->mutex);
  return static_cast<std::size_t>(std::ranges::count_if(
      impl_->seen, [tcp](const DnsQuery& query) { return query.tcp == tcp; }));
}

}  // namespace pilotfish::test
