#pragma once

#include <string_view>

#include "config/load.hpp"

namespace pilotfish::app {

/// Tells the service manager, e.g. "READY=1" (sd_notify(3)): one datagram to NOTIFY_SOCKET, a path
/// or an abstract name with @. Nothing where it is not set; false where it could not be sent.
bool notify_service_manager(const config::Environment& environment, std::string_view state);

}  // namespace pilotfish::app
