#include "proxy/check_plan.hpp"

#include <algorithm>

namespace pilotfish::proxy {
namespace {

Duration part_of(Duration whole, Random& random) {
  const auto count = static_cast<std::uint64_t>(std::max<Duration::rep>(whole.count(), 0));
  return Duration(static_cast<Duration::rep>(random.below(count + 1)));
}

}  // namespace

CheckRecord::Change CheckRecord::on_result(bool passed, const ActiveCheck& check) {
  const bool first = !known_;
  known_ = true;
  if (passed != unhealthy_) {
    against_ = 0;
    return Change::kNone;
  }
  ++against_;
  const auto needed = first ? 1U : passed ? check.healthy : check.unhealthy;
  if (against_ < needed) {
    return Change::kNone;
  }
  against_ = 0;
  unhealthy_ = !passed;
  return unhealthy_ ? Change::kWentOut : Change::kCameBack;
}

Duration next_probe_in(Duration interval, bool was_first, Random& random) {
  if (was_first) {
    return std::max<Duration>(part_of(interval, random), std::chrono::milliseconds(1));
  }
  const auto tenth = interval / 10;
  return interval - tenth + part_of(2 * tenth, random);
}

Duration first_probe_in(Duration interval, Random& random) {
  return part_of(std::min<Duration>(interval / 10, std::chrono::milliseconds(200)), random);
}

}  // namespace pilotfish::proxy
