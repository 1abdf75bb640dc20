#pragma once

#include "core/clock.hpp"
#include "net/asio.hpp"

namespace pilotfish::proxy {

/// Waits between two tries, as long as there is somebody to try for: `cut`, which outlives the
/// coroutine, ends it. False where it was cut.
[[nodiscard]] net::Awaitable<bool> pause_for(net::Executor executor, const bool& cut,
                                             TimePoint until);

}  // namespace pilotfish::proxy
