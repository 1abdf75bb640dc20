#pragma once

#include <optional>
#include <string>
#include <vector>

#include "balancer/cluster.hpp"
#include "balancer/ejection.hpp"
#include "balancer/live_set.hpp"
#include "balancer/plan.hpp"
#include "balancer/tier_selection.hpp"

namespace pilotfish::balancer {

/// The parts of a Cluster and how they hang together; private to balancer/cluster*.cpp.
///
/// Whatever may change the outcome (answer, ejection, time) ends in refresh(): counts -> tier
/// selection -> plans. Nothing else touches the plans, so that a pick finds them ready.
struct Cluster::Impl {
  struct Tier {
    std::string name;
    InstanceList answer;          ///< the last good one, or the held one
    std::vector<Member> members;  ///< of `answer`
    bool answered = false;        ///< had an answer that was not a failure
    bool emptied = false;         ///< answered empty; `members` wait for the end of the hold
    std::optional<LookupResult> failing;  ///< how the last lookup failed, if it did
    TimePoint asked{};                    ///< of `answer`
    std::optional<Plan> plan;             ///< made on first use, dropped on any change
  };

  Impl(ClusterOptions wanted, std::vector<std::string> names, std::uint64_t seed);

  // cluster.cpp: answers and time.
  void on_answer(std::size_t number, const TierAnswer& answer, TimePoint now);
  void run_due(TimePoint now);
  void set_options(const ClusterOptions& wanted, TimePoint now);
  void set_tiers(std::span<const NewTier> wanted, TimePoint now);
  /// An answer that is no failure and differs from the last: it becomes the tier's.
  void take(Tier& tier, const TierAnswer& answer);
  void refresh(TimePoint now);
  void drop_emptied(TimePoint now);
  void assign_members(TimePoint now);
  void count();
  void return_unprobable(TimePoint now);
  void drop_plans();
  void renew_deadline(TimePoint now);

  // cluster_pick.cpp: requests.
  InstanceState* pick(const PickContext& context);
  InstanceState* pick_beyond_first_group(const PickContext& context);
  InstanceState* spare_suspects(const PickContext& context, InstanceState& chosen);
  /// The context with every member `avoided` added to what was tried; `list` holds them.
  PickContext avoiding(const PickContext& context, bool (*avoided)(const InstanceState&, TimePoint),
                       std::vector<InstanceState*>& list) const;
  bool another(std::span<InstanceState* const> tried) const;
  void started(InstanceState& instance, TimePoint now);
  void finished(InstanceState& instance, Outcome outcome, Duration latency, TimePoint now);
  void judge(InstanceState& instance, Outcome outcome, TimePoint now);
  bool may_eject(const InstanceState& instance);
  Plan& plan(std::size_t tier, TimePoint now);
  [[nodiscard]] bool holds(const Tier& tier, const InstanceState& instance) const;

  // cluster_view.cpp: words for people.
  [[nodiscard]] std::string explain() const;
  [[nodiscard]] std::string explain_failures() const;
  [[nodiscard]] std::string tier_text(std::size_t tier) const;
  [[nodiscard]] std::string ejection_text(const InstanceState& instance) const;
  [[nodiscard]] std::string why(const InstanceState& instance, TimePoint now) const;
  [[nodiscard]] std::vector<InstanceView> view(TimePoint now) const;
  void note_transitions(bool held_before, bool panicked_before);

  [[nodiscard]] int serving() const { return selection.serving(); }
  [[nodiscard]] Tier& serving_tier() { return tiers[static_cast<std::size_t>(serving())]; }

  ClusterOptions options;
  std::vector<std::string> names;
  Random random;
  std::vector<Tier> tiers;
  std::vector<TierCounts> counts;
  TierSelection selection;
  Ejection ejection;
  LiveSet live;
  ClusterEvents events;
  std::string reason = "no answer from the registry yet";
  bool panic = false;  ///< the serving tier has ejected instances only; they are used
  TimePoint planned_at{};
  TimePoint deadline = TimePoint::max();
  Picker* hot = nullptr;  ///< first group of the serving tier
};

}  // namespace pilotfish::balancer
