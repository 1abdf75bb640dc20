#pragma once

#include <cstdint>
#include <optional>

#include "core/clock.hpp"
#include "registry/verdict.hpp"

namespace pilotfish::registry {

/// Decides, for one service, what to tell Consul's agent next: the wanted state against what the
/// agent last said it knows and what our own probe of the check's address found. The shell carries
/// out one step at a time, probes beside them, and reports how each went.
///
/// - Announced as passing where our probe passed after the need for it was seen, so that it is in
///   DNS before the agent's own first check; without a verdict in kVerdictWait as critical. Where
///   the agent has it critical since the announcement and our probe passes, its check is replaced,
///   once: an agent keeps the status of a check it knows, whatever a registration says.
/// - The newest process that announces an id owns it. What another one announced is neither
///   replaced nor withdrawn, so before a withdrawal the agent is asked whose it is.
/// - Critical for `deregister_after` without a break, by our verdict or by the agent's: withdrawn,
///   and held back until our probe says something else. What the agent lost meanwhile counts so.
///
/// Pure: time is an argument, back-off delays too. Thread-safety: none.
class ConsulPlan {
 public:
  /// A loss is noticed within this plus one round trip (the contract says 3 s).
  static constexpr Duration kAskEvery = std::chrono::seconds(1);
  /// After an announcement: how its check stands, and whether it is still ours.
  static constexpr Duration kAskSoon = std::chrono::milliseconds(250);
  /// An announcement waits this long for our verdict.
  static constexpr Duration kVerdictWait = std::chrono::milliseconds(500);
  /// While it is awaited that the application answers, it is probed at least this often.
  static constexpr Duration kProbeAtLeast = std::chrono::seconds(1);

  enum class Step {
    kWait,        ///< nothing to do before `at`
    kAsk,         ///< what does the agent know of it?
    kRegister,    ///< announce, or announce anew; as passing where passing() says so
    kPass,        ///< keep the TTL check alive
    kDropCheck,   ///< remove its check, so that announcing it anew sets the status
    kDeregister,  ///< withdraw
    kGone,        ///< no longer wanted and withdrawn: forget it
  };
  struct Decision {
    Step step = Step::kWait;
    TimePoint at{};
  };

  struct Check {
    Duration ttl{};               ///< 0: there is no TTL check
    bool probed = false;          ///< it has an address that can be probed
    Duration interval{};          ///< of a probed one
    Duration deregister_after{};  ///< 0: never
  };
  /// The agent's answer to kAsk.
  struct Known {
    enum class What : std::uint8_t {
      kAbsent,
      kAsWanted,
      kOtherForm,
      kAnothers,  ///< announced by another process, in whatever form
    };
    What what = What::kAbsent;
    bool critical = false;  ///< its check
  };

  /// Wanted from now on, in a new or changed form.
  void want(Check check, TimePoint now);
  void withdraw();
  [[nodiscard]] bool wanted() const { return wanted_; }
  /// Withdrawn, or about to be, though wanted: critical for too long.
  [[nodiscard]] bool held() const { return held_; }
  /// Another process announces it now.
  [[nodiscard]] bool superseded() const { return superseded_; }
  /// Status to announce it with.
  [[nodiscard]] bool passing() const;

  /// Not const: what is critical for too long is held back from then on.
  [[nodiscard]] Decision next(TimePoint now);

  void asked(Known known, TimePoint now);
  void registered(TimePoint now);
  void passed(TimePoint now);
  /// The agent does not know the check: it lost the service.
  void pass_unknown();
  void check_dropped();
  /// Withdrawn, or given up.
  void deregistered();
  /// A step failed; nothing more before `retry_in`. `perhaps_done`: the agent may have carried the
  /// registration out nevertheless.
  void failed(TimePoint now, Duration retry_in, bool perhaps_done);

  /// When to probe next; TimePoint::max() where nobody wants to know.
  [[nodiscard]] TimePoint probe_at() const { return probe_at_; }
  /// A probe that began then found this.
  void probed(Verdict verdict, TimePoint began, TimePoint now);

 private:
  void need_verdict(TimePoint now);
  void hold(bool by_us, TimePoint now);
  void stand_back();
  void lost(TimePoint now);
  void settled();
  /// When it will have been critical for too long.
  [[nodiscard]] TimePoint overdue_at(const std::optional<TimePoint>& since) const;
  [[nodiscard]] TimePoint next_probe(TimePoint began) const;

  bool wanted_ = false;
  bool dirty_ = true;         ///< has to be registered (anew)
  bool may_exist_ = false;    ///< the agent may know it from us
  bool owner_known_ = false;  ///< it was ours when a withdrawal was due
  bool superseded_ = false;
  bool held_ = false;
  bool doubted_ = false;   ///< critical for too long by the agent, not by us: we do not vouch
  bool replaced_ = false;  ///< its check was replaced once
  bool young_ = false;     ///< announced, and the agent did not say anything but critical yet
  bool agent_critical_ = false;
  Check check_;
  std::optional<Verdict> verdict_;  ///< of a probe that began at verdict_from_ or later
  TimePoint verdict_from_{};
  std::optional<TimePoint> ours_since_;    ///< critical by our verdict
  std::optional<TimePoint> theirs_since_;  ///< critical by the agent's
  TimePoint ask_at_{};
  TimePoint pass_at_{};
  TimePoint retry_at_{};
  TimePoint probe_at_ = TimePoint::max();
};

}  // namespace pilotfish::registry
