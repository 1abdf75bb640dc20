#pragma once

#include <memory>
#include <string>

#include "core/backoff.hpp"
#include "net/notifier.hpp"
#include "registry/consul_agent.hpp"
#include "registry/consul_codec.hpp"
#include "registry/consul_plan.hpp"
#include "registry/context.hpp"

namespace pilotfish::registry {

/// Keeps one service registered in the agent: carries ConsulPlan's steps out, one request at a
/// time, with the probe of its check's address in a loop of its own beside it.
/// Thread-safety: none; its coroutines run on the context's executor.
class ConsulEntry : public Entry, public std::enable_shared_from_this<ConsulEntry> {
 public:
  ConsulEntry(std::shared_ptr<RegistrarContext> context, std::shared_ptr<ConsulAgent> agent,
              std::string identity);

  void want(const Announcement& announcement) override;
  void withdraw(std::optional<TimePoint> give_up) override;
  void wake() override;
  net::Awaitable<void> run() override;
  net::Awaitable<bool> register_once(const Announcement& announcement, TimePoint deadline) override;
  net::Awaitable<bool> deregister_once(const Announcement& announcement,
                                       TimePoint deadline) override;
  [[nodiscard]] bool may_return() const override { return may_return_; }
  net::Awaitable<bool> returned(TimePoint deadline) override;

 private:
  [[nodiscard]] TimePoint request_deadline() const;
  /// Fills `service_` for the wanted announcement. False: `failed` says what is missing.
  net::Awaitable<bool> prepare(TimePoint deadline, ConsulAgent::NodeAddress& failed);
  net::Awaitable<void> probe_loop();
  net::Awaitable<void> step(ConsulPlan::Step step);
  net::Awaitable<void> ask();
  net::Awaitable<void> announce();
  net::Awaitable<void> pass();
  net::Awaitable<void> drop_check();
  net::Awaitable<void> remove();
  /// What the agent knows of it, and whether its answer was any.
  net::Awaitable<http::ClientResult> look(std::optional<KnownService>& known, TimePoint deadline);
  net::Awaitable<http::ClientResult> put(std::string path, std::string body, TimePoint deadline);

  void tell(bool up);
  void up();
  void judge(const std::optional<KnownService>& known);
  void tell_of_holding(bool held_before);
  void withdrawal_failed(const http::ClientResult& result);
  void failed(const http::ClientResult& result, bool perhaps_done);
  void failed(const http::ClientResult& result, const std::string& problem, bool perhaps_done);

  std::shared_ptr<RegistrarContext> context_;
  std::shared_ptr<ConsulAgent> agent_;
  std::string identity_;
  Announcement announcement_;
  ConsulService service_;
  ConsulPlan plan_;
  Backoff backoff_{kBackoffBase, kBackoffMax};
  net::Notifier wake_;
  net::Notifier probe_wake_;
  std::uint64_t version_ = 0;  ///< counts want(): a change during a request is not lost
  std::optional<TimePoint> give_up_;
  int withdraw_tries_ = 0;
  bool prepared_ = false;
  bool up_ = false;
  bool ended_ = false;  ///< run() returned
  bool may_return_ = false;
  std::string verdict_;  ///< why our last probe failed
  std::string problem_;  ///< as last logged
};

}  // namespace pilotfish::registry
