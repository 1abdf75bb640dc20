#pragma once

#include <string>

#include "net/asio.hpp"
#include "registry/options.hpp"

namespace pilotfish::registry {

/// Performs a check once, within its timeout, for registries that check nothing themselves. Empty
/// where it passes, else why not. HTTP passes with 2xx and, as Consul has it, 429 (warning); TCP
/// with a connection. Without a check, and with a TTL check (it says only that the sidecar lives),
/// it always passes.
net::Awaitable<std::string> probe(net::Executor executor, CheckOptions check);

}  // namespace pilotfish::registry
