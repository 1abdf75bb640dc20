#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/instance.hpp"

namespace pilotfish::app {

/// The one place beside log lines where wall-clock time counts: it has to outlive the process.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// The last good answer of one tier.
struct KeptTier {
  std::string name;
  WallTime asked{};       ///< when its lookup began
  InstanceSet instances;  ///< normalised; empty: nothing is kept
  friend bool operator==(const KeptTier&, const KeptTier&) = default;
};

/// What state_dir holds of one upstream.
struct KeptAnswers {
  std::string upstream;
  std::string source;  ///< what was asked, so that nobody else's answers are taken
  std::vector<KeptTier> tiers;
  friend bool operator==(const KeptAnswers&, const KeptAnswers&) = default;
};

inline constexpr std::size_t kMaxStateSize = std::size_t{8} * 1024 * 1024;
inline constexpr std::size_t kMaxStateInstances = 50'000;  ///< of one tier
inline constexpr std::size_t kMaxStateTags = 64;           ///< of one instance

/// JSON in one line. Pure.
[[nodiscard]] std::string encode_state(const KeptAnswers& answers);

/// Takes times and instances over into `expected`, where the text is whole, within the bounds above
/// and about the same upstream, source and list of tiers. Gives what is wrong otherwise, and leaves
/// `expected` as it was. Pure; does not throw.
[[nodiscard]] std::string decode_state(std::string_view text, KeptAnswers& expected);

}  // namespace pilotfish::app
