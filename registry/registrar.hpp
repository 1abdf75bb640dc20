#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "registry/options.hpp"

namespace pilotfish::registry {

struct RegistrarOptions {
  ConsulHttp consul;
  EtcdOptions etcd;
  /// Admin endpoint, for `self` entries; nullopt where admin is off.
  std::optional<Endpoint> admin;
};

/// Keeps a desired set of announcements true in Consul's agent and in etcd: reconciles what is
/// wanted with what the agent knows (noticed within 3 s), keeps TTL checks and leases alive, and
/// withdraws everything on stop. An unreachable agent delays nothing else.
/// Thread-safety: none; lives on the main thread's executor.
class Registrar {
 public:
  /// `on_state(name, up)` feeds registration_up{service}.
  Registrar(net::IoContext& io, RegistrarOptions options, Logger& logger,
            std::function<void(const std::string& service, bool up)> on_state);
  ~Registrar();
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  /// The desired set; may be called again at any time (reload, later: containers).
  void set_desired(std::vector<Announcement> announcements);
  void start();
  /// Withdraws everything; returns when done or at the deadline, whichever is first.
  net::Awaitable<void> stop(TimePoint deadline);

  /// `pilotfish register`: announces once (etcd: without a lease). True where all succeeded; each
  /// failure is logged with what to do.
  net::Awaitable<bool> register_once(TimePoint deadline);
  /// `pilotfish deregister`: withdraws once. What is not there any more counts as withdrawn.
  net::Awaitable<bool> deregister_once(TimePoint deadline);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilotfish::registry
