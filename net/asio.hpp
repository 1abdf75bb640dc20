#pragma once

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/error_code.hpp>
#include <boost/system/result.hpp>

#include "core/clock.hpp"

namespace pilotfish::net {

namespace asio = boost::asio;

using ErrorCode = boost::system::error_code;
template <class T>
using Result = boost::system::result<T>;

/// The typed executor: no any_io_executor on the hot path.
using IoContext = asio::io_context;
using Executor = IoContext::executor_type;
template <class T>
using Awaitable = asio::awaitable<T, Executor>;

/// Completion token: `auto [ec, n] = co_await op(..., kTuple);` No exceptions on the data path.
/// (Inside loops bind the tuple to one named value instead: GCC 12 destroys the temporaries of such
/// a binding twice.)
inline constexpr asio::as_tuple_t<asio::use_awaitable_t<Executor>> kTuple{
    asio::use_awaitable_t<Executor>{}};
inline constexpr asio::use_awaitable_t<Executor> kAwait{};

using TcpSocket = asio::basic_stream_socket<asio::ip::tcp, Executor>;
using TcpAcceptor = asio::basic_socket_acceptor<asio::ip::tcp, Executor>;
using Timer = asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor>;

}  // namespace pilotfish::net
