#pragma once

#include <functional>
#include <memory>
#include <string>

#include "net/asio.hpp"
#include "proxy/connection.hpp"
#include "proxy/worker.hpp"

namespace pilotfish::proxy {

/// Accepts the connections of one listening socket of one worker. Pauses at max_clients and while
/// descriptors are short (logged once), and goes on by itself.
/// Ownership: shared with its coroutine. Thread-safety: none.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Takes the descriptor over. `on_accept` starts a session.
  Listener(std::shared_ptr<Worker> worker, std::string name, int descriptor,
           std::function<void(ClientStream)> on_accept);

  void start();
  /// Accepts what the kernel's queue still holds, then closes.
  void finish();
  void stop();

 private:
  static net::Awaitable<void> run(std::shared_ptr<Listener> self);
  [[nodiscard]] bool short_of_descriptors(const net::ErrorCode& error) const;

  std::shared_ptr<Worker> worker_;
  std::string name_;
  net::TcpAcceptor acceptor_;
  std::function<void(ClientStream)> on_accept_;
  bool short_logged_ = false;
};

}  // namespace pilotfish::proxy
