#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/endpoint.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "registry/options.hpp"

namespace pilotfish::registry {

struct RegistrarOptions {
  ConsulHttp consul;
  EtcdOptions etcd;
  /// Admin endpoint, for `self` entries; nullopt where admin is off.
  std::optional<Endpoint> admin;
  /// So long an agent may refuse to say its address (429, 5xx) before ids do without it.
  Duration patience = std::chrono::seconds(10);
  /// The agent refused a connection because there are too many: something else should give way.
  std::function<void()> on_crowded = nullptr;
};

/// Keeps a desired set of announcements true in Consul's agent and in etcd: reconciles what is
/// wanted with what the agent knows (asked every second, so that a loss is noticed within 3 s),
/// keeps TTL checks and leases alive, and withdraws on stop what is still its own. Each
/// announcement goes its own way: an unreachable agent delays nothing else. Every change of state
/// is logged once.
///
/// The id of a service is `<name>-<address>-<port>`. Without an address Consul's node address
/// serves clients, and the id holds the address the agent advertises (see ConsulAgent), so that
/// another process, e.g. `pilotfish deregister`, arrives at the same id. For etcd it is the local
/// end of the route to the first endpoint, in the id and in the record.
///
/// Two processes that overlap share an id: the newer one's announcement replaces the older one's,
/// and has its mark in Meta (kOwnerKey), so that the older one leaves it alone and the agent always
/// knows the service. What ConsulPlan and EtcdPlan say decides the rest.
///
/// Thread-safety: none; lives on the main thread's executor. After destruction nothing touches the
/// logger or `on_state` any more; a request under way may end a little later on the executor.
class Registrar {
 public:
  /// `on_state(name, up)` feeds registration_up{service}; called on changes only, first with the
  /// state at set_desired(). Entries of one name count together: up where all of them are. A name
  /// that is not desired any more is told to be down where it was up, and then never again.
  Registrar(net::IoContext& io, RegistrarOptions options, Logger& logger,
            std::function<void(const std::string& service, bool up)> on_state);
  ~Registrar();
  Registrar(const Registrar&) = delete;
  Registrar& operator=(const Registrar&) = delete;

  /// The desired set; may be called again at any time (reload, later: containers). What is gone is
  /// withdrawn, what changed is registered again in place, what stayed is left alone. Where only
  /// the address changed the old one goes first: both may have the same id.
  void set_desired(std::vector<Announcement> announcements);
  /// Another admin endpoint after a reload; takes effect with the next set_desired().
  void set_admin(std::optional<Endpoint> admin);
  /// Where the registries are after a reload; call set_desired() next. What was announced in one
  /// that moved is withdrawn there (3 tries, 3 s at most) and then announced in the new place; the
  /// other registry's entries are left alone. A new token for the same agent counts at once.
  void set_registries(ConsulHttp consul, EtcdOptions etcd);
  void start();
  /// Withdraws everything, all at once; returns when done or at the deadline, whichever is first.
  /// What cannot be withdrawn within 3 tries or 3 s is left, with a warning.
  net::Awaitable<void> stop(TimePoint deadline);

  /// `pilotfish register`: announces once (etcd: without a lease). True where all succeeded; each
  /// failure is logged with what to do. `self` entries are left out with a note: there is no
  /// sidecar to announce.
  net::Awaitable<bool> register_once(TimePoint deadline);
  /// `pilotfish deregister`: withdraws once, whoever announced it. What is not there any more
  /// counts as withdrawn. What a running process had announced is looked at again for
  /// kLookAgain; each that is back is logged with what to do. Takes that much longer then.
  enum class Withdrawal { kDone, kFailed, kReturned };
  net::Awaitable<Withdrawal> deregister_once(TimePoint deadline);
  static constexpr Duration kLookAgain = std::chrono::seconds(4);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace pilotfish::registry
