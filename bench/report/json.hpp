#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "bench/report/result.hpp"

namespace pilotfish::bench {

/// `result.json`. Pure; does not throw.

/// Counted up when old readers would misread a new file. New keys alone do not: they are skipped.
inline constexpr int kResultFormat = 1;

/// Indented, one measurement's curve or one instance's timeline a line. Figures that are no numbers
/// (infinite, or 0/0) are left out; the others keep nine digits.
[[nodiscard]] std::string to_json(const RunResult& result);

struct ReadResult {
  std::optional<RunResult> result;
  /// Where there is no result: what is wrong and where, `line 3, column 7: ...` or
  /// `measurements[2].figures.p99_us: ...`.
  std::string error;
};

/// Keys that are not known are skipped; absent ones keep their default, except those without which
/// nothing can be said (`format`, `scenario`, who was measured).
[[nodiscard]] ReadResult from_json(std::string_view text);

}  // namespace pilotfish::bench
