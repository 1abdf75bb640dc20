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

/// One algorithm over one unchanging list of candidates; thrown away when the list changes. What
/// must outlive that (load, latency) is in the instances.
/// Thread-safety: none. Borrows the instances.
class Picker {
 public:
  virtual ~Picker() = default;
  /// A candidate that is not in `context.tried`; nullptr iff there is none. Never allocates.
  [[nodiscard]] virtual InstanceState* pick(const PickContext& context, Random& random) = 0;
};

/// `candidates` in a stable order (by endpoint), so that hashing agrees between processes. With
/// ring_hash and maglev the shares only matter relative to each other. Where the list may be empty,
/// the picker always answers nullptr.
[[nodiscard]] std::unique_ptr<Picker> make_picker(Algorithm algorithm,
                                                  std::vector<Candidate> candidates,
                                                  Random& random);

// One maker per algorithm; each file says how it works.
using Candidates = std::vector<Candidate>;
std::unique_ptr<Picker> make_least_request(Candidates candidates);
std::unique_ptr<Picker> make_peak_ewma(Candidates candidates);
std::unique_ptr<Picker> make_random(Candidates candidates);
std::unique_ptr<Picker> make_round_robin(Candidates candidates, Random& random);
std::unique_ptr<Picker> make_ring_hash(Candidates candidates);
std::unique_ptr<Picker> make_maglev(Candidates candidates);

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
