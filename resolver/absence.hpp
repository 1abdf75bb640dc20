#pragma once

#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "core/instance.hpp"
#include "core/tier_answer.hpp"

namespace pilotfish::resolver {

/// What the agent's API says of instances that DNS denies.
struct AbsenceVerdict {
  enum class Kind : std::uint8_t {
    kUntold,   ///< it cannot tell: unreachable, slow, or not allowed to see the service
    kAbsent,   ///< it knows none that is not critical either
    kPresent,  ///< it has `instances`: DNS is behind
    kFailed,   ///< it says that the registry cannot know: `failure`
  };
  Kind kind = Kind::kUntold;
  InstanceList instances;  ///< normalised and without tags, as from DNS; empty: none is usable
  LookupResult failure = LookupResult::kServfail;
  std::string why;  ///< for people, where not kAbsent
};

[[nodiscard]] constexpr bool is_absent(LookupResult result) {
  return result == LookupResult::kNxdomain || result == LookupResult::kEmpty;
}

/// When one name's absence in DNS has to be confirmed. Only the first absence after instances were
/// known waits for the API; while DNS goes on denying what the API did not, it is asked again
/// beside the lookups: after 1 s, and where it cannot tell after 1 s doubling to 10 s. What it
/// confirmed once is believed until somebody has instances again. Pure. Thread-safety: none.
class AbsencePlan {
 public:
  using Kind = AbsenceVerdict::Kind;
  static constexpr Duration kAgain = std::chrono::seconds(1);
  static constexpr Duration kAgainMax = std::chrono::seconds(10);

  enum class Step : std::uint8_t {
    kBelieve,      ///< DNS, without a word of the API
    kAsk,          ///< ask, and wait for the verdict
    kUse,          ///< the last verdict counts
    kUseAndRenew,  ///< the same, and ask beside
  };
  /// DNS says that nothing is there. `known`: somebody has instances of that name.
  [[nodiscard]] Step absent(bool known, TimePoint now);
  /// The API's answer to kAsk or kUseAndRenew. False where it counts no more.
  bool told(Kind kind, TimePoint now);
  /// DNS names instances.
  void present() { *this = {}; }

 private:
  bool told_ = false;
  bool asking_ = false;
  Kind kind_ = Kind::kUntold;
  Duration again_ = kAgain;
  TimePoint again_at_{};
};

}  // namespace pilotfish::resolver
