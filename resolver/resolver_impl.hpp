#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "net/notifier.hpp"
#include "resolver/dns_service.hpp"
#include "resolver/lookup_name.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::resolver {

/// The state behind a ServiceResolver; waiters keep it alive. Thread-safety: none; one executor.
class ServiceResolver::Impl final : public NameUser,
                                    public std::enable_shared_from_this<ServiceResolver::Impl> {
 public:
  Impl(DnsService::Impl& dns, const Source& source, Freshness freshness, LookupOptions lookup,
       Hooks hooks);

  void assume_good() { assumed_good_ = true; }
  void start();
  void stop();
  [[nodiscard]] Ticket arrive(std::size_t first, std::size_t last, TimePoint now);
  [[nodiscard]] bool satisfied(const Ticket& ticket) const;
  [[nodiscard]] net::Awaitable<Wait> wait(const Ticket& ticket);
  [[nodiscard]] TimePoint last_lookup_started() const;
  [[nodiscard]] bool first_round_done() const;
  [[nodiscard]] net::Awaitable<void> wait_first_round(TimePoint deadline);
  [[nodiscard]] const std::vector<TierAnswer>& last_answers() const { return answers_; }

  void on_looked_up(const LookupName& name) override;

 private:
  struct Tier {
    std::vector<std::uint32_t> names;  // places in names_
    std::vector<std::string> tags;
    std::uint64_t revision = 0;  // the sum of the names', which only grow
  };

  [[nodiscard]] std::uint32_t place_of(const std::shared_ptr<LookupName>& name);
  void claim(Ticket& ticket, std::uint32_t place, TimePoint now);
  void answer(std::size_t index);

  Freshness freshness_;
  LookupOptions lookup_;
  Hooks hooks_;
  std::vector<std::shared_ptr<LookupName>> names_;
  std::vector<Tier> tiers_;
  std::vector<TierAnswer> answers_;
  InstanceList fixed_;  // of a static source
  net::Notifier first_round_;
  bool assumed_good_ = false;
  bool started_ = false;
  bool stopped_ = false;
};

}  // namespace pilotfish::resolver
