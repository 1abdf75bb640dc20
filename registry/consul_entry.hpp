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
/// time. Thread-safety: none; its coroutines run on the context's executor.
class ConsulEntry : public Entry {
 public:
  ConsulEntry(std::shared_ptr<RegistrarContext> context, std::shared_ptr<ConsulAgent> agent,
              std::string identity);

  void want(const Announcement& announcement) override;
  void withdraw(std::optional<TimePoint> give_up) override;
  void wake() override { wake_.notify_all(); }
  net::Awaitable<void> run() override;
  net::Awaitable<bool> register_once(const Announcement& announcement, TimePoint deadline) override;
  net::Awaitable<bool> deregister_once(const Announcement& announcement,
                                       TimePoint deadline) override;

 private:
  [[nodiscard]] TimePoint request_deadline() const;
  /// Fills `service_` for the wanted announcement. False: `why` says what is missing.
  net::Awaitable<bool> prepare(TimePoint deadline, std::string& why);
  net::Awaitable<void> step(ConsulPlan::Step step);
  net::Awaitable<void> ask();
  net::Awaitable<void> announce();
  net::Awaitable<void> pass();
  net::Awaitable<void> remove();
  net::Awaitable<http::ClientResult> put(std::string path, std::string body, TimePoint deadline);

  void tell(bool up);
  void up();
  void failed(const std::string& problem, bool answered, bool perhaps_done);

  std::shared_ptr<RegistrarContext> context_;
  std::shared_ptr<ConsulAgent> agent_;
  std::string identity_;
  Announcement announcement_;
  ConsulService service_;
  ConsulPlan plan_;
  Backoff backoff_{kBackoffBase, kBackoffMax};
  net::Notifier wake_;
  std::uint64_t version_ = 0;  ///< counts want(): a change during a request is not lost
  std::optional<TimePoint> give_up_;
  int withdraw_tries_ = 0;
  bool prepared_ = false;
  bool up_ = false;
  std::string problem_;  ///< as last logged
};

}  // namespace pilotfish::registry
