#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "net/asio.hpp"
#include "proxy/connection.hpp"
#include "proxy/worker.hpp"

namespace pilotfish::proxy {

/// Accepts the connections of one listening socket of one worker. Pauses at max_clients and while
/// descriptors are short, and goes on by itself.
/// Ownership: shared with its coroutine. Thread-safety: none.
class Listener : public std::enable_shared_from_this<Listener> {
 public:
  /// Takes the descriptor over. `on_accept` starts a session.
  Listener(std::shared_ptr<Worker> worker, const Proxy::Listener& socket,
           std::function<void(ClientStream)> on_accept);

  void start();
  /// Who gets the connections from now on (reload).
  void redirect(std::function<void(ClientStream)> on_accept) { on_accept_ = std::move(on_accept); }
  /// Accepts what the kernel's queue still holds, then closes: for a moment no new connection
  /// begins while those under way arrive, so that none that the kernel accepted is lost. Counted
  /// in Worker::finishing until then; `done` runs after its last session began.
  void finish(std::function<void()> done = {});
  void stop();

 private:
  static net::Awaitable<void> run(std::shared_ptr<Listener> self);
  static net::Awaitable<void> run_last(std::shared_ptr<Listener> self, std::function<void()> done);
  [[nodiscard]] net::ErrorCode accept_one();
  /// True where the kernel's queue is empty.
  [[nodiscard]] bool accept_queued();
  void refuse_new();
  [[nodiscard]] bool short_of_descriptors(const net::ErrorCode& error) const;

  std::shared_ptr<Worker> worker_;
  std::string name_;
  net::TcpAcceptor acceptor_;
  bool inherited_;
  std::function<void(ClientStream)> on_accept_;
};

}  // namespace pilotfish::proxy
