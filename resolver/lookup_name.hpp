#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "core/log.hpp"
#include "net/asio.hpp"
#include "net/notifier.hpp"
#include "resolver/absence.hpp"
#include "resolver/background.hpp"
#include "resolver/dns_lookup.hpp"
#include "resolver/lookup_gate.hpp"
#include "resolver/tier_merge.hpp"

namespace pilotfish::resolver {

class LookupName;

/// Whoever wants to know each end of a name's lookups.
class NameUser {
 public:
  virtual ~NameUser() = default;
  virtual void on_looked_up(const LookupName& name) = 0;
  /// Ahead of that where the lookup brought many instances: time to prepare for them elsewhere. The
  /// lookup counts as running until all its users are done.
  virtual net::Awaitable<void> prepare(const LookupName& name, InstanceSet instances) = 0;
  /// Whether it has instances that came from this name, or stand for it: if DNS denies them, the
  /// agent's API is asked first.
  [[nodiscard]] virtual bool has_instances(const LookupName& /*name*/) const { return false; }
};

/// One name of one server set: its gate, its newest answer, and the coroutine that looks it up when
/// the gate says so. Shared by the upstreams of a worker. Thread-safety: none; one executor.
class LookupName : public std::enable_shared_from_this<LookupName> {
 public:
  LookupName(net::Executor executor, LookupPlan plan, NameTransport transport, double per_second,
             Logger& logger, Completer* completer, Background* background);

  /// Lookups go on while there is a user; the first of them also starts one.
  void attach(const std::shared_ptr<NameUser>& user);
  void detach(const NameUser& user);

  /// A stricter user joins: the lowest rate and the longest timeout count.
  void join(double per_second, Duration timeout, NameTransport transport);
  /// The next join() counts alone: what earlier users asked for is forgotten (reload).
  void forget_limits() { forget_limits_ = true; }

  [[nodiscard]] LookupGate& gate() { return gate_; }
  [[nodiscard]] const LookupGate& gate() const { return gate_; }
  [[nodiscard]] const NameState& state() const { return state_; }
  [[nodiscard]] bool has_good() const { return has_good_; }
  [[nodiscard]] net::Notifier& notifier() { return notifier_; }
  [[nodiscard]] Duration timeout() const { return plan_.timeout; }

  /// Performs what the gate allows now, and comes back when it will allow more.
  void pump(TimePoint now);

 private:
  static net::Awaitable<void> perform(std::shared_ptr<LookupName> self);
  static net::Awaitable<InstanceSet> prepare(std::shared_ptr<LookupName> self,
                                             InstanceList instances);
  void finished(LookupOutcome outcome, InstanceSet instances, TimePoint asked);
  /// DNS says that nothing is there: what the API says of that becomes the outcome.
  static net::Awaitable<void> doubt(std::shared_ptr<LookupName> self, LookupOutcome& outcome);
  static net::Awaitable<void> ask_beside(std::shared_ptr<LookupName> self);
  enum class Asking : std::uint8_t { kFirst, kAgain };
  net::Awaitable<void> ask_api(Asking asking);
  void apply_verdict(LookupOutcome& outcome) const;
  [[nodiscard]] bool has_instances() const;
  void keep(LookupOutcome outcome, InstanceSet instances, TimePoint asked, TimePoint now);
  void log_change(LookupResult before, bool known) const;
  void arm(TimePoint at);

  net::Executor executor_;
  LookupPlan plan_;
  NameTransport transport_;
  LookupGate gate_;
  Logger& logger_;
  Completer* completer_;
  Background* background_;
  LookupMemory memory_;
  AbsencePlan absence_;
  AbsenceVerdict verdict_;  ///< the last of this absence
  TimePoint verdict_asked_{};
  NameState state_;
  bool forget_limits_ = false;
  bool has_good_ = false;  ///< the last that was certain is an answer with instances
  std::vector<std::weak_ptr<NameUser>> users_;
  net::Notifier notifier_;
  net::Timer timer_;
  TimePoint armed_at_ = LookupGate::kNever;
};

}  // namespace pilotfish::resolver
