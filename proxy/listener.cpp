#include "proxy/listener.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <sys/socket.h>

namespace pilotfish::proxy {
namespace {

/// How long accept pauses while descriptors are short (nginx pauses as long).
constexpr Duration kPause = std::chrono::milliseconds(200);

net::asio::ip::tcp protocol_of(int descriptor) {
  sockaddr_storage address{};
  socklen_t size = sizeof(address);
  ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&address), &size);  // NOLINT
  return address.ss_family == AF_INET6 ? net::asio::ip::tcp::v6() : net::asio::ip::tcp::v4();
}

}  // namespace

Listener::Listener(std::shared_ptr<Worker> worker, std::string name, int descriptor,
                   std::function<void(ClientStream)> on_accept)
    : worker_(std::move(worker)),
      name_(std::move(name)),
      acceptor_(worker_->executor, protocol_of(descriptor), descriptor),
      on_accept_(std::move(on_accept)) {
  acceptor_.non_blocking(true);
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
      (void)co_await worker.room.wait_until(Clock::now() + std::chrono::seconds(1));
      continue;
    }
    auto accepted = co_await self->acceptor_.async_accept(net::kTuple);
    const auto error = std::get<0>(accepted);
    if (!error) {
      self->short_logged_ = false;
      // The socket comes with the acceptor's executor type already.
      self->on_accept_(ClientStream(net::TcpSocket(std::move(std::get<1>(accepted)))));
      continue;
    }
    if (self->short_of_descriptors(error)) {
      if (!self->short_logged_) {
        self->short_logged_ = true;
        worker.log().error("accept pauses: no free file descriptor; raise its limit (ulimit -n)",
                           {{"upstream", self->name_}, {"error", error.message()}});
      }
      (void)co_await worker.room.wait_until(Clock::now() + kPause);
    } else if (error == net::asio::error::operation_aborted ||
               error == net::asio::error::bad_descriptor) {
      co_return;
    }
  }
}

void Listener::finish() {
  if (!acceptor_.is_open()) {
    return;
  }
  net::ErrorCode error;
  for (;;) {
    net::TcpSocket socket(worker_->executor);
    acceptor_.accept(socket, error);
    if (error) {
      break;
    }
    on_accept_(ClientStream(std::move(socket)));
  }
  stop();
}

void Listener::stop() {
  net::ErrorCode ignored;
  acceptor_.close(ignored);
}

}  // namespace pilotfish::proxy
