#include "bench/lab/script.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace pilotfish::bench {

DemoPlan plan_demo(Duration total) {
  // At the shortest the fail-back of 1 s is a fifth of the whole; the shares leave room for that.
  struct Share {
    StepKind kind;
    int per_mille;
  };
  static constexpr Share kShares[] = {
      {StepKind::kScaleUp, 120}, {StepKind::kTierFails, 260},   {StepKind::kKill, 400},
      {StepKind::kNotice, 500},  {StepKind::kTierReturns, 560}, {StepKind::kScaleDown, 860},
      {StepKind::kStop, 930},
  };
  DemoPlan plan;
  plan.total = total;
  plan.fail_back_after = std::max<Duration>(
      std::chrono::duration_cast<std::chrono::milliseconds>(total / 10), std::chrono::seconds(1));
  for (const auto& share : kShares)
    plan.steps.push_back({share.kind, total * share.per_mille / 1000});
  return plan;
}

std::optional<Duration> parse_duration(std::string_view text) {
  double number = 0;
  const auto read =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (read.ec != std::errc() || number < 0 || !std::isfinite(number)) return std::nullopt;
  const std::string_view unit(read.ptr,
                              static_cast<std::size_t>(text.data() + text.size() - read.ptr));
  double seconds = 0;
  if (unit == "ms") {
    seconds = number / 1000;
  } else if (unit == "s") {
    seconds = number;
  } else if (unit == "m") {
    seconds = number * 60;
  } else if (unit == "h") {
    seconds = number * 3600;
  } else {
    return std::nullopt;
  }
  if (seconds > 1e9) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace pilotfish::bench
