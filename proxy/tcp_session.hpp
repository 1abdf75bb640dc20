#pragma once

#include <array>
#include <memory>

#include "proxy/client_deadline.hpp"
#include "proxy/connection.hpp"
#include "proxy/relay.hpp"
#include "proxy/upstream.hpp"
#include "proxy/worker.hpp"

namespace pilotfish::proxy {

/// One client connection of a `tcp` upstream: a fresh lookup, an instance (another one where the
/// connection fails), then bytes both ways with half-close. Closed with RST where none was carried.
/// Ownership: owns itself through its coroutine. Thread-safety: none.
class TcpSession final : public Session, private net::HangUpWatcher {
 public:
  TcpSession(std::shared_ptr<Worker> worker, std::shared_ptr<Upstream> upstream,
             ClientStream client);
  ~TcpSession() override;

  static net::Awaitable<void> run(std::unique_ptr<TcpSession> self);

  void drain() override {}  // what runs may finish; there is no boundary to stop at
  void cut() override;

 private:
  /// Reset before it has an instance.
  void hung_up() override {
    left_ = true;
    cut();
  }
  net::Awaitable<void> serve();
  net::Awaitable<bool> connect();
  /// Another instance may be tried; asked once for each that failed.
  [[nodiscard]] bool another_try(std::uint32_t& retries);
  void finish(balancer::Outcome outcome);
  void log_try(balancer::Outcome outcome, Duration took) const;
  void log_end(std::string_view error, const RelayEnd& end);
  void log_refusal();

  std::shared_ptr<Worker> worker_;
  std::shared_ptr<Upstream> upstream_;
  Endpoint client_endpoint_;
  ClientStream client_;
  net::Buffer in_;
  TimePoint arrived_;
  Claim claim_;

  static constexpr std::size_t kMostTried = 16;
  std::array<balancer::InstanceState*, kMostTried> tried_{};
  std::array<balancer::InstanceRef, kMostTried> tried_refs_{};
  std::size_t tried_count_ = 0;
  std::uint32_t tries_ = 0;
  balancer::InstanceRef instance_;
  Picked picked_;  ///< how it was
  Opening opening_;
  ConnectionPtr connection_;
  std::string_view error_;
  std::string why_;  ///< the last failed try
  bool cut_ = false;
  bool left_ = false;  ///< cut because the client left
};

}  // namespace pilotfish::proxy
