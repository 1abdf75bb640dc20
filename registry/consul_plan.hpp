#pragma once

#include "core/clock.hpp"

namespace pilotfish::registry {

/// Decides, for one service, what to tell Consul's agent next: the wanted state against what the
/// agent last said it knows. The shell carries out one step at a time and reports how it went.
/// Pure: time is an argument, back-off delays too. Thread-safety: none.
class ConsulPlan {
 public:
  /// A loss is noticed within this plus one round trip (the contract says 3 s).
  static constexpr Duration kAskEvery = std::chrono::seconds(2);

  enum class Step {
    kWait,        ///< nothing to do before `at`
    kAsk,         ///< what does the agent know of it?
    kRegister,    ///< announce, or announce anew
    kPass,        ///< keep the TTL check alive
    kDeregister,  ///< withdraw
    kGone,        ///< no longer wanted and withdrawn: forget it
  };
  struct Decision {
    Step step = Step::kWait;
    TimePoint at{};
  };

  /// Wanted from now on, in a new or changed form. `ttl` 0: there is no TTL check.
  void want(Duration ttl);
  void withdraw();
  [[nodiscard]] bool wanted() const { return wanted_; }

  [[nodiscard]] Decision next(TimePoint now) const;

  /// The agent answered kAsk. `matches` false: it does not know the service, or another form of it.
  void asked(bool matches, TimePoint now);
  void registered(TimePoint now);
  void passed(TimePoint now);
  /// The agent does not know the check: it lost the service.
  void pass_unknown();
  /// Withdrawn, or given up.
  void deregistered();
  /// A step failed; nothing more before `retry_in`. `perhaps_done`: the agent may have carried the
  /// registration out nevertheless.
  void failed(TimePoint now, Duration retry_in, bool perhaps_done);

 private:
  bool wanted_ = false;
  bool dirty_ = true;       ///< has to be registered (anew)
  bool may_exist_ = false;  ///< the agent may know it from us
  Duration ttl_{};
  TimePoint ask_at_{};
  TimePoint pass_at_{};
  TimePoint retry_at_{};
};

}  // namespace pilotfish::registry
