#pragma once

#include "net/asio.hpp"
#include "proxy/connection.hpp"

namespace pilotfish::proxy {

/// Waits between two tries, as long as there is somebody to try for: `cut` ends it, and so does a
/// client that went away, which sets it. Both outlive the coroutine. False where it was cut.
[[nodiscard]] net::Awaitable<bool> pause_for(net::Executor executor, ClientStream& client,
                                             bool& cut, TimePoint until);

}  // namespace pilotfish::proxy
