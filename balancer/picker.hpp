#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balancer/cluster.hpp"

namespace pilotfish::balancer {

/// An instance that may be picked, and its share relative to the others (at least 1).
struct Candidate {
  InstanceState* state = nullptr;
  std::uint32_t weight = 1;
};
using Candidates = std::vector<Candidate>;

/// What an algorithm's index is made from: the same list without live state, in the same order.
struct Share {
  const Endpoint* endpoint = nullptr;
  std::uint32_t weight = 1;
};

/// What an algorithm knows of a list before its first pick: a ring, a table, a schedule, places by
/// number. Holds no live state and never changes, so that workers share it. Each algorithm has its
/// own kind; an index serves the algorithm that it was made for.
class PickIndex {
 public:
  virtual ~PickIndex() = default;
};
using PickIndexPtr = std::shared_ptr<const PickIndex>;

/// Pure, and the expensive part of a picker: off the worker where the list is long.
[[nodiscard]] PickIndexPtr make_pick_index(Algorithm algorithm, std::span<const Share> shares);

/// Whom a picker passes over although they are in its list: who is barred or drained. Only a
/// list that is kept while its instances change (a large one, plan.hpp) needs it; others hold
/// nobody who may not be picked.
struct PickFilter {
  bool active = false;
  bool all = false;       ///< panic: who is barred is used all the same
  bool no_share = false;  ///< those that have a share of `split`, while there are others
  Duration slow_start{};  ///< a newcomer is passed over as often as it lacks in weight

  /// Without a look at `active`, and at slow start.
  [[nodiscard]] bool accepts(const InstanceState& state) const {
    return !state.drained && (all || !state.barred()) && !(no_share && state.apart);
  }
};

/// One algorithm over one unchanging list of candidates; thrown away when the list changes. What
/// must outlive that (load, latency) is in the instances.
/// Thread-safety: none. Borrows the instances.
class Picker {
 public:
  virtual ~Picker() = default;
  /// A candidate that is not in `context.tried`; nullptr iff there is none. Never allocates.
  [[nodiscard]] virtual InstanceState* pick(const PickContext& context, Random& random) = 0;
  void set_filter(const PickFilter& filter) { filter_ = filter; }

 protected:
  /// Nobody has to be passed over.
  [[nodiscard]] bool plain(const PickContext& context) const {
    return context.tried.empty() && !filter_.active;
  }
  [[nodiscard]] bool allowed(const PickContext& context, const InstanceState& state) const;
  /// The same for one draw: a newcomer under slow start is allowed, but not each time.
  [[nodiscard]] bool admitted(const PickContext& context, const InstanceState& state,
                              Random& random) const;

 private:
  PickFilter filter_;
};

/// `candidates` in a stable order (by endpoint), so that hashing agrees between processes. With
/// ring_hash and maglev the shares only matter relative to each other. Where the list may be empty,
/// the picker always answers nullptr. `index` is of the same list, or null: made here.
[[nodiscard]] std::unique_ptr<Picker> make_picker(Algorithm algorithm, Candidates candidates,
                                                  Random& random, PickIndexPtr index = nullptr);

// One pair of makers per algorithm; each file says how it works. Least_request, peak_ewma and
// random share theirs (weighted_sampler.hpp).
std::unique_ptr<Picker> make_least_request(Candidates candidates, const PickIndexPtr& index);
std::unique_ptr<Picker> make_peak_ewma(Candidates candidates, const PickIndexPtr& index);
std::unique_ptr<Picker> make_random(Candidates candidates, const PickIndexPtr& index);
PickIndexPtr make_round_robin_index(std::span<const Share> shares);
std::unique_ptr<Picker> make_round_robin(Candidates candidates, const PickIndexPtr& index,
                                         Random& random);
PickIndexPtr make_ring_hash_index(std::span<const Share> shares);
std::unique_ptr<Picker> make_ring_hash(Candidates candidates, const PickIndexPtr& index);
PickIndexPtr make_maglev_index(std::span<const Share> shares);
std::unique_ptr<Picker> make_maglev(Candidates candidates, const PickIndexPtr& index);

[[nodiscard]] inline bool is_tried(std::span<InstanceState* const> tried,
                                   const InstanceState* state) {
  return std::ranges::find(tried, state) != tried.end();
}

/// Spreads the bits of a hash that may be weak (splitmix64's finaliser).
[[nodiscard]] constexpr std::uint64_t mix_bits(std::uint64_t value) {
  value = (value ^ (value >> 30U)) * 0xbf58476d1ce4e5b9ULL;
  value = (value ^ (value >> 27U)) * 0x94d049bb133111ebULL;
  return value ^ (value >> 31U);
}

}  // namespace pilotfish::balancer
