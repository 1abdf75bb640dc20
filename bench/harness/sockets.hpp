#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "core/endpoint.hpp"
#include "net/asio.hpp"

namespace pilotfish::bench {

[[nodiscard]] net::asio::ip::tcp::endpoint to_asio(const Endpoint& endpoint);
[[nodiscard]] Endpoint from_asio(const net::asio::ip::tcp::endpoint& endpoint);

/// A listening socket; throws boost::system::system_error where the port is taken.
[[nodiscard]] net::TcpAcceptor listen_on(net::Executor executor, const Endpoint& endpoint);

/// A port of 127.0.0.1 that nobody holds at this moment. Somebody may take it before it is used:
/// whoever starts a program on it tries again on another.
[[nodiscard]] Endpoint free_loopback_port();

/// 127.0.0.1 with this port.
[[nodiscard]] Endpoint loopback(std::uint16_t port);

/// Closes so that the peer gets RST, as a host does whose process was killed with data in flight.
void close_hard(net::TcpSocket& socket);

}  // namespace pilotfish::bench
