#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pilotfish::bench {

/// What is known of each figure by its key: how to name it, in which unit to show it, which way is
/// better and how small a difference means nothing. A key that nobody entered here is shown too,
/// with what its ending says. Pure.

enum class Unit : std::uint8_t {
  kCount,
  kMicroseconds,
  kMilliseconds,
  kBytes,
  kBytesPerSecond,
  kPerSecond,
  kRatio
};
enum class Better : std::uint8_t { kNeither, kLower, kHigher };

struct FigureInfo {
  std::string title;  ///< `CPU per request`
  Unit unit = Unit::kCount;
  Better better = Better::kNeither;
  /// Relative: a smaller change of the median is no news, whatever the rounds say.
  double noise = 0.05;
  /// Absolute, in the key's unit: the same for values near zero.
  double least = 0;
  /// A latency of the whole path: what is added over `direct` is worth showing.
  bool adds = false;
  /// Place in tables; unknown figures come after the known ones.
  int rank = 1000;
};

[[nodiscard]] FigureInfo figure_info(std::string_view key);

/// The unit in which a group of values is shown, so that they can be compared by eye.
struct Scale {
  double divisor = 1;
  std::string unit;  ///< `us`, `ms`, `s`, `B`, `KiB`, `MiB`, `/s`, `KiB/s`, ...; empty for counts
};

/// The scale that suits values of which `largest` is the largest.
[[nodiscard]] Scale scale_for(Unit unit, double largest);

/// Three digits where there are so many: `0.042`, `1.31`, `13.1`, `131`; whole for counts.
[[nodiscard]] std::string number_text(double value, const Scale& scale);
/// With its unit: `13.1us`, `1.31MiB`, `12500/s`.
[[nodiscard]] std::string value_text(double value, const Scale& scale);
/// In the scale of its own size.
[[nodiscard]] std::string value_text(double value, Unit unit);
/// `0.89`; two digits after the point below 10, fewer above.
[[nodiscard]] std::string ratio_text(double ratio);

}  // namespace pilotfish::bench
