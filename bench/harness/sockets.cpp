#include "bench/harness/sockets.hpp"

#include <algorithm>
#include <boost/asio/ip/address.hpp>

namespace pilotfish::bench {

namespace asio = net::asio;
using asio::ip::tcp;

tcp::endpoint to_asio(const Endpoint& endpoint) {
  const auto octets = endpoint.address.octets();
  if (endpoint.address.is_v4()) {
    asio::ip::address_v4::bytes_type bytes{};
    std::copy(octets.begin(), octets.end(), bytes.begin());
    return {asio::ip::address_v4(bytes), endpoint.port};
  }
  asio::ip::address_v6::bytes_type bytes{};
  std::copy(octets.begin(), octets.end(), bytes.begin());
  return {asio::ip::address_v6(bytes), endpoint.port};
}

Endpoint from_asio(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  return {address.is_v4() ? IpAddress::v4(address.to_v4().to_bytes())
                          : IpAddress::v6(address.to_v6().to_bytes()),
          endpoint.port()};
}

net::TcpAcceptor listen_on(net::Executor executor, const Endpoint& endpoint) {
  const auto local = to_asio(endpoint);
  net::TcpAcceptor acceptor(executor, local.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind(local);
  acceptor.listen();
  return acceptor;
}

Endpoint loopback(std::uint16_t port) {
  return {IpAddress::v4({127, 0, 0, 1}), port};
}

Endpoint free_loopback_port() {
  net::IoContext loop(1);
  return from_asio(listen_on(loop.get_executor(), loopback(0)).local_endpoint());
}

void close_hard(net::TcpSocket& socket) {
  net::ErrorCode ignored;
  socket.set_option(asio::socket_base::linger(true, 0), ignored);
  socket.close(ignored);
}

}  // namespace pilotfish::bench
