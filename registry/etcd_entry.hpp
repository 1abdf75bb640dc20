#pragma once

#include <memory>
#include <string>

#include "core/backoff.hpp"
#include "net/notifier.hpp"
#include "registry/context.hpp"
#include "registry/etcd_client.hpp"
#include "registry/etcd_plan.hpp"

namespace pilotfish::registry {

/// Keeps one SkyDNS record under a lease while its check passes: carries EtcdPlan's steps out, one
/// request at a time, with the check in a loop of its own beside it.
/// Thread-safety: none; its coroutines run on the context's executor.
class EtcdEntry : public Entry, public std::enable_shared_from_this<EtcdEntry> {
 public:
  EtcdEntry(std::shared_ptr<RegistrarContext> context, std::shared_ptr<EtcdClient> etcd,
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
  net::Awaitable<void> check_loop(std::uint64_t version, CheckOptions check);
  /// Fills key_ and value_ for the wanted announcement. False: `why` says what is missing.
  net::Awaitable<bool> prepare(TimePoint deadline, std::string& why);
  net::Awaitable<void> step(EtcdPlan::Step step);
  net::Awaitable<void> grant();
  net::Awaitable<void> put();
  net::Awaitable<void> keep_alive();
  net::Awaitable<void> verify();
  net::Awaitable<void> remove();
  net::Awaitable<http::ClientResult> post(std::string path, std::string body);

  void tell(bool up);
  void failed(const http::ClientResult& result, bool perhaps_done);
  void failed(const std::string& problem, bool answered, bool perhaps_done);

  std::shared_ptr<RegistrarContext> context_;
  std::shared_ptr<EtcdClient> etcd_;
  std::string identity_;
  Announcement announcement_;
  std::string host_;
  std::string key_;
  std::string value_;
  EtcdPlan plan_;
  Backoff backoff_{kBackoffBase, kBackoffMax};
  net::Notifier wake_;
  net::Notifier check_wake_;
  std::uint64_t version_ = 0;  ///< counts want(): ends the check loop of an older form
  std::optional<TimePoint> give_up_;
  int withdraw_tries_ = 0;
  bool prepared_ = false;
  bool announced_ = false;
  bool may_return_ = false;
  std::string problem_;  ///< as last logged
};

}  // namespace pilotfish::registry
