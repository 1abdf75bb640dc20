#include "proxy/listener.hpp"

#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <linux/filter.h>
#include <sys/socket.h>
#include <utility>

#include "net/write.hpp"

namespace pilotfish::proxy {
namespace {

/// How long accept pauses while descriptors are short (nginx pauses as long).
constexpr Duration kPause = std::chrono::milliseconds(200);
/// Connections accepted in a row before those that are there get their turn.
constexpr int kAcceptTurns = 16;
/// What a connection that has begun already gets to arrive.
constexpr Duration kUnderWay = std::chrono::milliseconds(20);

net::asio::ip::tcp protocol_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT
  return address.ss_family == AF_INET6 ? net::asio::ip::tcp::v6() : net::asio::ip::tcp::v4();
}

}  // namespace

Listener::Listener(std::shared_ptr<Worker> worker, const Proxy::Listener& socket,
                   std::function<void(ClientStream)> on_accept)
    : worker_(std::move(worker)),
      name_(socket.upstream),
      acceptor_(worker_->executor, protocol_of(socket.descriptor), socket.descriptor),
      inherited_(socket.inherited),
      on_accept_(std::move(on_accept)) {
  net::ErrorCode ignored;
  acceptor_.non_blocking(true);
  // What is accepted inherits it.
  acceptor_.set_option(net::asio::ip::tcp::no_delay(true), ignored);
}

void Listener::start() {
  net::asio::co_spawn(worker_->executor, run(shared_from_this()), net::asio::detached);
}

bool Listener::short_of_descriptors(const net::ErrorCode& error) const {
  namespace errc = boost::system::errc;
  return error == errc::too_many_files_open || error == errc::too_many_files_open_in_system ||
         error == errc::no_buffer_space || error == errc::not_enough_memory;
}

net::Awaitable<void> Listener::run(std::shared_ptr<Listener> self) {
  auto& worker = *self->worker_;
  while (self->acceptor_.is_open()) {
    if (worker.clients >= worker.most_clients) {
      worker.trouble.say(LogLevel::kWarn, self->name_, "accept pauses: max_clients is reached",
                         std::to_string(worker.clients) +
                             " client connections here, no more are taken (max_clients and the "
                             "descriptors allowed, divided among workers); new ones wait in the "
                             "kernel's queue until one ends");
      (void)co_await worker.room.wait_until(Clock::now() + std::chrono::seconds(1));
      continue;
    }
    const auto waited =
        co_await self->acceptor_.async_wait(net::TcpAcceptor::wait_read, net::kTuple);
    auto error = std::get<0>(waited);
    for (int turn = 0; !error && turn < kAcceptTurns && worker.clients < worker.most_clients;
         ++turn) {
      error = self->accept_one();
    }
    if (!error || net::would_block(error)) {
      continue;
    }
    if (self->short_of_descriptors(error)) {
      worker.trouble.say(LogLevel::kError, self->name_,
                         "accept pauses: no free file descriptor; raise its limit (ulimit -n)",
                         error.message() + " at " + std::to_string(worker.clients) +
                             " client connections; tried again every 200 ms");
      (void)co_await worker.room.wait_until(Clock::now() + kPause);
    } else if (error == net::asio::error::operation_aborted ||
               error == net::asio::error::bad_descriptor) {
      co_return;
    }
  }
}

void Listener::finish(std::function<void()> done) {
  if (!acceptor_.is_open()) {
    if (done) {
      done();
    }
    return;
  }
  refuse_new();
  (void)accept_queued();
  ++worker_->finishing;
  net::asio::co_spawn(worker_->executor, run_last(shared_from_this(), std::move(done)),
                      net::asio::detached);
}

net::ErrorCode Listener::accept_one() {
  if (!acceptor_.is_open()) {
    return net::asio::error::bad_descriptor;
  }
  sockaddr_storage address;  // NOLINT: filled by accept4
  socklen_t size = sizeof(address);
  const int accepted = ::accept4(acceptor_.native_handle(), reinterpret_cast<sockaddr*>(&address),
                                 &size, SOCK_NONBLOCK | SOCK_CLOEXEC);  // NOLINT
  if (accepted < 0) {
    return {errno, boost::system::system_category()};
  }
  on_accept_(ClientStream(worker_->executor, accepted, net::endpoint_of(address)));
  return {};
}

bool Listener::accept_queued() {
  for (;;) {
    const auto error = accept_one();
    if (short_of_descriptors(error)) {
      return false;
    }
    if (error && error != net::asio::error::connection_aborted) {
      return true;  // one that its client reset leaves others behind it
    }
  }
}

net::Awaitable<void> Listener::run_last(std::shared_ptr<Listener> self,
                                        std::function<void()> done) {
  auto& worker = *self->worker_;
  net::Timer under_way(worker.executor, kUnderWay);
  (void)co_await under_way.async_wait(net::kTuple);
  while (self->acceptor_.is_open() && !self->accept_queued()) {
    (void)co_await worker.room.wait_until(Clock::now() + kPause);
  }
  self->stop();
  if (done) {
    std::exchange(done, nullptr)();  // what it holds goes now, not when the frame does
  }
  --worker.finishing;
  worker.check_idle();
}

void Listener::refuse_new() {
  if (inherited_) {
    return;  // whoever listens there after us wants them
  }
  // Between the last accept and the close a connection may arrive, and the close would reset it.
  // With this filter a new one is not begun: its client asks again a second later, and meets
  // whoever listens then. Where it cannot be had that is a matter of microseconds.
  std::array<sock_filter, 5> program{{
      {BPF_LD | BPF_B | BPF_ABS, 0, 0, 13},     // the TCP header's flags
      {BPF_ALU | BPF_AND | BPF_K, 0, 0, 0x12},  // SYN and ACK
      {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x02},  // SYN alone
      {BPF_RET | BPF_K, 0, 0, 0},               // drop
      {BPF_RET | BPF_K, 0, 0, 0xffffffff},      // pass
  }};
  const sock_fprog filter{program.size(), program.data()};
  (void)::setsockopt(acceptor_.native_handle(), SOL_SOCKET, SO_ATTACH_FILTER, &filter,
                     sizeof(filter));
}

void Listener::stop() {
  net::ErrorCode ignored;
  acceptor_.close(ignored);
}

}  // namespace pilotfish::proxy
