#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/clock.hpp"

namespace pilotfish::bench {

/// What the demo does to its little world, in this order.
enum class StepKind : std::uint8_t {
  kScaleUp,      ///< a third v4 is registered
  kTierFails,    ///< the checks of all v4 go critical
  kKill,         ///< an instance of v3 dies; the registry does not know yet
  kNotice,       ///< the registry drops the dead one
  kTierReturns,  ///< the checks of all v4 pass again
  kScaleDown,    ///< the third v4 is deregistered
  kStop,         ///< and, once drained, stopped
};

struct Step {
  StepKind kind;
  Duration at;  ///< since the start
};

struct DemoPlan {
  Duration total{};
  /// How long v4 must stay healthy before it serves again: a tenth of the whole, at least 1 s.
  Duration fail_back_after{};
  std::vector<Step> steps;
};

inline constexpr Duration kShortestDemo = std::chrono::seconds(5);
inline constexpr Duration kLongestDemo = std::chrono::hours(24);

/// The script scaled into `total`, which is at least kShortestDemo: each step has room to be
/// observed before the next, and v4 is back well before it is scaled down. Pure.
[[nodiscard]] DemoPlan plan_demo(Duration total);

/// `10s`, `1500ms`, `1m`, `2h`; a bare number is refused. Pure.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);

}  // namespace pilotfish::bench
