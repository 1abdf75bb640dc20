#pragma once

#include <vector>

#include "balancer/cluster.hpp"
#include "balancer/options.hpp"

namespace pilotfish::balancer {

/// Passive ejection of single instances (docs/how-it-decides.md, "Ejection").
///
/// An instance with `consecutive` failures in a row is ejected for `base` times the count of its
/// ejections, at most `max`. When that time is over it probes: one request is let through. Success
/// returns it, failure ejects it again with the count one higher, a neutral end allows another
/// probe, and so does a probe without an end within `base`. The count is forgotten when an instance
/// stayed in for 10 min (or `max`, if longer) since its last return.
///
/// Whether max_share allows an ejection, and whether a probe can get traffic at all, the cluster
/// knows; both are told by arguments.
/// Pure. Thread-safety: none. Holds pointers to ejected instances: tell it when one leaves.
class Ejection {
 public:
  enum class Effect { kNone, kEjected, kReturned, kProbeOver, kShareSpent };

  explicit Ejection(EjectOptions options) : options_(options) {}

  void started(InstanceState& instance, TimePoint now);
  /// Judges one outcome. `may_eject()` is asked only when the instance is due. `ignored`: ejection
  /// is ignored just now (panic), so that a success on an ejected instance speaks for it.
  template <typename MayEject>
  Effect on_outcome(InstanceState& instance, Outcome outcome, bool ignored, TimePoint now,
                    MayEject&& may_eject) {
    if (instance.ejected) {
      return on_ejected_outcome(instance, outcome, ignored, now);
    }
    if (!is_failure(outcome)) {
      instance.consecutive_failures =
          outcome == Outcome::kSuccess ? 0 : instance.consecutive_failures;
      return Effect::kNone;
    }
    ++instance.consecutive_failures;
    if (options_.consecutive == 0 || instance.consecutive_failures < options_.consecutive) {
      return Effect::kNone;
    }
    if (!may_eject()) {
      return Effect::kShareSpent;
    }
    eject(instance, now);
    return Effect::kEjected;
  }

  /// Lets time pass; true where an ejection time ended (its instance probes now).
  bool expire(TimePoint now);
  /// Takes an instance back without a probe: it would get no traffic to be probed with. One failure
  /// ejects it again.
  void return_on_trust(InstanceState& instance, TimePoint now);
  /// An instance left every answer: it comes back un-ejected, its count kept.
  void on_departed(InstanceState& instance, TimePoint now);

  /// An instance whose probe is due and that `usable(instance)` accepts; nullptr where none is.
  template <typename Usable>
  [[nodiscard]] InstanceState* due_probe(Usable&& usable) const {
    for (auto* instance : ejected_) {
      if (instance->probing && !instance->probe_in_flight && usable(*instance)) {
        return instance;
      }
    }
    return nullptr;
  }

  /// The last resort of a retry: of the ejected ones that `usable(instance)` accepts, the one whose
  /// time ends first; nullptr where none is. An instance whose probe is out is not asked again.
  template <typename Usable>
  [[nodiscard]] InstanceState* soonest_back(Usable&& usable) const {
    InstanceState* best = nullptr;
    for (auto* instance : ejected_) {
      if (instance->tier >= 0 && !instance->probe_in_flight && usable(*instance) &&
          (best == nullptr || instance->ejected_until < best->ejected_until)) {
        best = instance;
      }
    }
    return best;
  }

  [[nodiscard]] const std::vector<InstanceState*>& ejected() const { return ejected_; }
  [[nodiscard]] bool any_probing() const { return probing_ > 0; }
  [[nodiscard]] TimePoint next_deadline() const;
  void set_options(const EjectOptions& options) { options_ = options; }

 private:
  Effect on_ejected_outcome(InstanceState& instance, Outcome outcome, bool ignored, TimePoint now);
  void eject(InstanceState& instance, TimePoint now);
  void release(InstanceState& instance);

  EjectOptions options_;
  std::vector<InstanceState*> ejected_;
  std::size_t probing_ = 0;
};

}  // namespace pilotfish::balancer
