#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/tier_answer.hpp"

namespace pilotfish::resolver {

/// The newest state of one name, as its lookup left it.
struct NameState {
  NameAnswer answer;      ///< of the newest lookup that ended
  InstanceSet instances;  ///< normalised; of the newest lookup
  bool usable = false;    ///< `instances` count although the result may be a failure (TC, partial)
  bool known = false;     ///< a lookup ended at least once
  /// The result is an absence, and the agent's API says so too.
  bool confirmed = false;
  std::uint64_t revision =
      0;  ///< grows whenever result, `usable`, `confirmed` or the instances change
  TimePoint asked{};
  TimePoint answered{};
};

/// Joins the names of a tier (one per tag; all are needed) into the tier's answer: instances are
/// intersected by address:port, weight and priority come from the first name. One name that is
/// certainly empty makes the tier certainly empty, even while another fails; otherwise one failure
/// makes the tier's lookup a failure. `asked` is the earliest of the names'. Pure.
/// Requires: at least one name, all known.
/// `joined`: what join_lists() made of the same lists before; else it is made here.
[[nodiscard]] TierAnswer merge_tier(std::span<const NameState* const> names,
                                    const std::vector<std::string>& tags,
                                    const InstanceSet* joined = nullptr);

/// The instances of the same alone. Pure, and linear: worth another thread where they are many.
[[nodiscard]] InstanceList join_lists(std::span<const InstanceSet> lists,
                                      const std::vector<std::string>& tags);

/// The rest of the same: times, TTL and per-name answers. Enough where no revision changed.
void refresh_times(TierAnswer& answer, std::span<const NameState* const> names);

}  // namespace pilotfish::resolver
