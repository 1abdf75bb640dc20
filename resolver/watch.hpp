#pragma once

#include <compare>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/instance.hpp"
#include "core/tier_answer.hpp"
#include "resolver/options.hpp"

namespace pilotfish::resolver {

/// Whether each wanted tag is among `tags`, as Consul's DNS compares them: without regard to case.
[[nodiscard]] bool has_all(const std::vector<std::string>& tags,
                           const std::vector<std::string>& wanted);

/// A service that is watched: one blocking query for the whole process.
struct WatchKey {
  std::string service;
  std::string datacenter;  ///< empty: the agent's own
  friend auto operator<=>(const WatchKey&, const WatchKey&) = default;
};

/// What the API knows of an instance beyond what DNS would say.
struct InstanceDetail {
  Endpoint endpoint;
  std::string node;  ///< the machine it runs on, as the registry calls it
  std::vector<std::pair<std::string, std::string>> meta;
  friend bool operator==(const InstanceDetail&, const InstanceDetail&) = default;
};

/// What the process's watch of a service knows (`fresh: watch`). Immutable once published, shared
/// by all workers. One of three: the watch serves (`up`); DNS serves, as it was decided
/// (`left_to_dns`); or the watch has failed, and DNS has to do until it is back.
struct WatchState {
  /// The agent's API answers: `instances` hold until the next state says otherwise. Where not,
  /// lookups over DNS have to do.
  bool up = false;
  /// Nothing failed: DNS is the source of this service, for what `problem` says, and is believed as
  /// with `fresh: connection`. Never together with `up`.
  bool left_to_dns = false;
  /// Every instance that is not critical, with all its tags; normalised. The same pointer as in the
  /// state before means: unchanged. Set where `up`.
  std::shared_ptr<const InstanceList> instances;
  /// Of `instances`, sorted by endpoint; changes only together with that pointer. May be null.
  std::shared_ptr<const std::vector<InstanceDetail>> details{};
  TimePoint asked{};     ///< no older than the answer's content
  TimePoint answered{};  ///< when it was there
  Duration took{};       ///< of a query that did not wait for a change; 0 of one that did
  std::string note;      ///< what is odd about the answer, e.g. that no leader is known
  LookupResult failure = LookupResult::kTimeout;  ///< where it failed
  std::string problem;                            ///< where not `up`: why, for people
};
using WatchStatePtr = std::shared_ptr<const WatchState>;

/// The service a source would watch, in its own datacenter.
[[nodiscard]] WatchKey watch_key(const ConsulSource& source);
/// One for each datacenter that a tier of the source is in.
[[nodiscard]] std::vector<WatchKey> watch_keys(const ConsulSource& source);

/// The answer for a tier of `source` with these tags (all needed; case does not count, as in
/// Consul's DNS; none: any), exactly as DNS would give it, without those that `not` and `meta` of
/// the tier leave out. An empty one is kEmpty. Requires: state.up. Pure.
[[nodiscard]] TierAnswer tier_of(const WatchState& state, const ConsulSource& source,
                                 const ConsulTier& tier);

/// The two steps of that: the instances, which are linear work, and the answer around them.
[[nodiscard]] InstanceList instances_with(const WatchState& state, const ConsulTier& tier);
/// It asks for what no DNS name can say.
[[nodiscard]] bool needs_watch(const ConsulTier& tier);
/// Those of `asked` (from DNS) that are in `matched` (of a watch, when it last spoke): what else
/// there may be by now cannot be told apart without the API. Both normalised.
[[nodiscard]] InstanceList only_known(const InstanceList& asked, const InstanceList& matched);
[[nodiscard]] TierAnswer answer_with(const WatchState& state, const ConsulSource& source,
                                     InstanceSet instances);

/// The same answer, confirmed by a later state with the same instances.
void confirm(TierAnswer& answer, const WatchState& state);

/// A failed watch as a lookup that ended, for lookup_total.
[[nodiscard]] NameAnswer failed_watch(const WatchState& state, const ConsulSource& source);

}  // namespace pilotfish::resolver
