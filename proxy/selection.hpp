#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "balancer/cluster.hpp"
#include "proxy/options.hpp"
#include "resolver/watch.hpp"

namespace pilotfish::proxy {

/// The source with a tier more for each share of `split:` that no tier of `prefer:` is: its
/// instances have to be found too. They stand behind those in order. Pure.
[[nodiscard]] resolver::Source asked_source(const resolver::Source& source,
                                            const std::vector<balancer::SplitShare>& split);
/// What people read as the names of those tiers: as resolver::tier_names(), and "split v5". Pure.
[[nodiscard]] std::vector<std::string> tier_names(const resolver::Source& source,
                                                  const std::vector<balancer::SplitShare>& split);
/// How many of those tiers stand in order, and the shares, for the balancer. Pure.
[[nodiscard]] balancer::TierRoles tier_roles(const resolver::Source& source,
                                             const std::vector<balancer::SplitShare>& split);

/// Why an upstream with `enabled: false` serves nobody, for people.
[[nodiscard]] std::string disabled_text(const std::string& upstream);

/// What sent a request elsewhere than the order of tiers would.
enum class Wish : std::uint8_t {
  kNone,
  kShare,
  kHeader,
  kCookie,
  kRetry,  ///< the tier that serves had nobody left who was not tried
  kProbe,  ///< to see whether an ejected instance is well again
};
/// For people; empty for kNone.
[[nodiscard]] std::string_view describe(Wish wish);

/// What a request brought to its pick.
struct Asked {
  Wish wish = Wish::kNone;
  std::uint64_t wanted = 0;
  std::uint64_t cookie = 0;
  bool retries = false;
};

struct Picked {
  int tier = -1;
  Wish wish = Wish::kNone;
};

/// Which tiers a value of the header of `choose_by:` names. Pure. Thread-safety: none.
class TierNames {
 public:
  TierNames() = default;
  /// `asked`: see asked_source().
  explicit TierNames(const resolver::Source& asked);

  /// Bit i: tier i. A value is a tag, or several with + between (case does not count, as in
  /// Consul). Those tiers that ask for just these tags; where there are none, those that ask for
  /// these and more, whose instances have them too. 0 for an unknown one. Never allocates.
  [[nodiscard]] std::uint64_t named(std::string_view value) const;

 private:
  std::vector<std::vector<std::string>> tags_;
};

/// `drain:` as the balancer wants it: a node is whoever runs there, as the watches last said.
/// Pure. Thread-safety: none; one per upstream and worker.
class DrainedNodes {
 public:
  void set_entries(const std::vector<std::string>& entries);
  [[nodiscard]] const std::vector<std::string>& nodes() const { return nodes_; }
  /// The others are listened to no more: what they said is forgotten. True where that changes
  /// list().
  bool keep_watches(const std::vector<resolver::WatchKey>& keys);
  /// What runs where, of one watch; linear where there are nodes. True where that changes list().
  bool take(const resolver::WatchKey& key, const resolver::WatchState& state);
  [[nodiscard]] balancer::DrainList list() const;

 private:
  struct Watched {
    resolver::WatchKey key;
    std::shared_ptr<const std::vector<resolver::InstanceDetail>> details;
    std::vector<balancer::DrainList::Entry> drained{};
  };
  void find(Watched& watched) const;

  std::vector<Endpoint> endpoints_;
  std::vector<std::string> nodes_;
  std::vector<Watched> watched_;
};

}  // namespace pilotfish::proxy
