#include "registry/local_end.hpp"

#include <boost/asio/basic_datagram_socket.hpp>
#include <boost/asio/ip/udp.hpp>

#include "http/client.hpp"

namespace pilotfish::registry {

net::Awaitable<std::string> local_end(net::Executor executor, std::string host, std::uint16_t port,
                                      TimePoint deadline) {
  const auto addresses = co_await http::resolve_host(executor, std::move(host), deadline);
  for (const auto& address : addresses) {
    using Udp = net::asio::ip::udp;
    net::asio::basic_datagram_socket<Udp, net::Executor> socket(executor);
    const Udp::endpoint endpoint(address, port);
    net::ErrorCode ec;
    socket.open(endpoint.protocol(), ec);
    if (!ec) {
      socket.connect(endpoint, ec);
    }
    const auto local = ec ? Udp::endpoint() : socket.local_endpoint(ec);
    if (!ec) {
      co_return local.address().to_string();
    }
  }
  co_return std::string();
}

}  // namespace pilotfish::registry
