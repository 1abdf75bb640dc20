#pragma once

#include <cstdint>
#include <string>

#include "core/clock.hpp"
#include "net/asio.hpp"

namespace pilotfish::registry {

/// The address this machine would speak from to that host; no packet is sent. Empty where the host
/// has no address or no route leads to it.
net::Awaitable<std::string> local_end(net::Executor executor, std::string host, std::uint16_t port,
                                      TimePoint deadline);

}  // namespace pilotfish::registry
