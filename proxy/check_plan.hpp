#pragma once

#include <cstdint>

#include "core/random.hpp"
#include "proxy/options.hpp"

namespace pilotfish::proxy {

/// What the results of an active check make of one instance. Unknown at first, which counts as
/// healthy; the first result decides alone (as HAProxy has it: an instance that is announced before
/// it works must not get requests for `unhealthy` intervals). From then on it takes `unhealthy`
/// failures in a row to go out and `healthy` passes in a row to come back. Pure.
class CheckRecord {
 public:
  enum class Change : std::uint8_t { kNone, kWentOut, kCameBack };

  Change on_result(bool passed, const ActiveCheck& check);
  [[nodiscard]] bool unhealthy() const { return unhealthy_; }
  [[nodiscard]] bool known() const { return known_; }
  /// Results in a row that speak against the present verdict.
  [[nodiscard]] std::uint32_t against() const { return against_; }

 private:
  bool known_ = false;
  bool unhealthy_ = false;
  std::uint32_t against_ = 0;
};

/// How long after the end of one probe the next is due: somewhere within the interval after an
/// instance's first one, so that those that came together are spread over it; then the interval,
/// give or take a tenth. Never zero.
[[nodiscard]] Duration next_probe_in(Duration interval, bool was_first, Random& random);

/// How long a newcomer waits for its first probe: next to nothing, but not all at one moment.
[[nodiscard]] Duration first_probe_in(Duration interval, Random& random);

}  // namespace pilotfish::proxy
