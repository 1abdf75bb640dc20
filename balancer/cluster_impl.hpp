#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "balancer/cluster.hpp"
#include "balancer/ejection.hpp"
#include "balancer/live_set.hpp"
#include "balancer/plan.hpp"
#include "balancer/split.hpp"
#include "balancer/tier_selection.hpp"
#include "balancer/tier_table.hpp"

namespace pilotfish::balancer {

/// The parts of a Cluster and how they hang together; private to balancer/cluster*.cpp.
///
/// Whatever may change the outcome (answer, ejection, time) ends in refresh(): counts -> tier
/// selection -> plans. Nothing else touches the plans, so that a pick finds them ready.
struct Cluster::Impl {
  struct Tier {
    std::string name;
    InstanceSet answer;           ///< the last good one, or the held one
    std::vector<Member> members;  ///< of `answer`, row by row
    TierTablePtr table;           ///< of a large `answer`
    std::size_t barred = 0;       ///< members that are (and not drained), as of the last count
    std::size_t drained = 0;      ///< the same
    bool answered = false;        ///< had an answer that was not a failure
    bool emptied = false;         ///< answered empty; `members` wait for the end of the hold
    std::optional<LookupResult> failing;  ///< how the last lookup failed, if it did
    TimePoint asked{};                    ///< of `answer`
    std::optional<Plan> plan;             ///< made on first use, dropped on any change
    /// A prepared answer whose newcomers arrive ahead of it.
    struct Incoming {
      PreparedTierPtr prepared;
      std::vector<Member> members;
      std::size_t next = 0;                ///< of prepared->diff.arrived
      std::vector<InstanceRef> arrived{};  ///< whom nobody else may hold by now
    };
    std::optional<Incoming> incoming;
  };

  Impl(ClusterOptions wanted, std::vector<std::string> names, std::uint64_t seed,
       TierRoles tier_roles);

  // cluster.cpp: answers and time.
  void on_answer(std::size_t number, const TierAnswer& answer, TimePoint now,
                 const PreparedTierPtr& prepared);
  void run_due(TimePoint now);
  /// An answer that is no failure and differs from the last: it becomes the tier's.
  void take(std::size_t number, const TierAnswer& answer, TimePoint now,
            const PreparedTierPtr& prepared);
  void refresh(TimePoint now);
  void drop_emptied(TimePoint now);
  void assign_members(TimePoint now);
  [[nodiscard]] std::vector<LiveSet::TierView> views() const;
  [[nodiscard]] TierTablePtr table_for(const Tier& tier, const PreparedTierPtr& prepared) const;
  void note(LiveSet::Changes changes);
  void return_unprobable(TimePoint now);
  void drop_plans();
  void renew_deadline(TimePoint now);

  // cluster_reload.cpp: other options and other tiers.
  void set_options(const ClusterOptions& wanted, TimePoint now);
  void set_drain(DrainList drain, TimePoint now);
  void set_shares(std::vector<std::uint32_t> shares, TimePoint now);
  void settle_tier(const Tier& tier, std::span<const LiveSet::TierView> all, TimePoint now,
                   LiveSet::Changes& changes);
  void set_tiers(std::span<const NewTier> wanted, TimePoint now, TierRoles tier_roles);
  void replace(Tier& tier, const InstanceSet& answer, const PreparedTierPtr& prepared);

  // cluster_large.cpp: what large answers need beside that.
  bool arrive(std::size_t number, const PreparedTierPtr& prepared, TimePoint now, std::size_t most);
  void arrive_some(std::size_t number, TimePoint now, std::size_t most);
  void call_off(std::size_t number, TimePoint now);
  void work(std::size_t most);
  /// Finishes now what is not worth putting off.
  void finish_departures();
  void renew_filter(std::size_t number, TimePoint now);
  [[nodiscard]] std::size_t ejected_in(const Tier& tier) const;
  /// Someone who may be picked is to be used before an instance of this weight and priority.
  [[nodiscard]] bool better_than(const Tier& tier, const InstanceState& instance) const;

  // cluster_health.cpp: who is eligible.
  void count();
  [[nodiscard]] TierCounts count_small(const Tier& tier) const;
  [[nodiscard]] TierCounts count_large(const Tier& tier) const;
  [[nodiscard]] std::size_t barred_in(const Tier& tier) const;
  void set_verdicts(std::span<const CheckVerdict> list, TimePoint now);
  void forget_verdicts(TimePoint now);
  /// Brings one instance in line with the verdict there is of it.
  void apply_verdict(InstanceState& state);

  // cluster_pick.cpp: requests.
  InstanceState* pick(const PickContext& context);
  /// Out of the tiers that the request wants. A retry leaves them sooner than it takes one that
  /// failed a moment ago, unless `any`.
  InstanceState* pick_wanted(const PickContext& context, bool any);
  InstanceState* pick_in_order(const PickContext& context);
  InstanceState* pick_beyond_first_group(const PickContext& context);
  InstanceState* spare_suspects(const PickContext& context, InstanceState& chosen);
  /// The context with every member `avoided` added to what was tried; `list` holds them.
  void suspect(InstanceState& instance);
  PickContext avoiding(const PickContext& context, bool (*avoided)(const InstanceState&, TimePoint),
                       std::vector<InstanceState*>& list);
  bool another(std::span<InstanceState* const> tried, std::uint64_t wanted) const;
  [[nodiscard]] bool may_serve(const InstanceState& instance, const PickContext& context) const;
  [[nodiscard]] int tier_of_pick(const InstanceState& instance, std::uint64_t wanted) const;
  [[nodiscard]] bool in_wanted(const InstanceState& instance, std::uint64_t wanted) const;
  void started(InstanceState& instance, TimePoint now);
  void finished(InstanceState& instance, Outcome outcome, Duration latency, TimePoint now);
  void judge(InstanceState& instance, Outcome outcome, TimePoint now);
  bool may_eject(const InstanceState& instance);
  Plan& plan(std::size_t tier, TimePoint now);
  [[nodiscard]] bool holds(const Tier& tier, const InstanceState& instance) const;

  // cluster_view.cpp: words for people.
  [[nodiscard]] std::string explain() const;
  [[nodiscard]] std::string explain_failures() const;
  [[nodiscard]] std::string explain_shares() const;
  [[nodiscard]] std::string tier_text(std::size_t tier) const;
  [[nodiscard]] std::string ejection_text(const InstanceState& instance) const;
  [[nodiscard]] std::string why(const InstanceState& instance, TimePoint now) const;
  [[nodiscard]] std::vector<InstanceView> view(TimePoint now) const;
  void note_transitions(bool held_before, bool panicked_before);

  /// So many tiers serve by their order.
  [[nodiscard]] std::size_t ordered() const { return std::min(roles.ordered, tiers.size()); }
  [[nodiscard]] std::uint32_t share_of(std::size_t tier) const {
    return tier < roles.shares.size() ? roles.shares[tier] : 0;
  }
  [[nodiscard]] int serving() const { return selection.serving(); }
  [[nodiscard]] Tier& serving_tier() { return tiers[static_cast<std::size_t>(serving())]; }

  ClusterOptions options;
  std::vector<std::string> names;
  Random random;
  TierRoles roles;
  std::vector<Tier> tiers;
  std::vector<TierCounts> counts;
  TierSelection selection;
  Ejection ejection;
  Split split;
  LiveSet live;
  ClusterEvents events;
  std::string reason = "no answer from the registry yet";
  std::vector<InstanceRef> suspects;                   ///< whose last failures may still count
  bool deferring = false;                              ///< departures in bulk wait for work()
  std::unordered_map<Endpoint, std::string> verdicts;  ///< of unhealthy ones, present or not: why
  std::unordered_set<InstanceState*> unhealthy;        ///< present ones that are
  bool panic = false;  ///< all of the serving tier are barred; they are used all the same
  TimePoint planned_at{};
  TimePoint deadline = TimePoint::max();
  Picker* hot = nullptr;  ///< first group of use of the serving tier
};

}  // namespace pilotfish::balancer
