#pragma once

#include <memory>
#include <optional>
#include <string>

#include "http/client.hpp"
#include "net/asio.hpp"
#include "registry/options.hpp"

namespace pilotfish::registry {

/// What the agent says of its own dns_config.only_passing, by GET /v1/agent/self (agent:read).
struct OnlyPassing {
  std::optional<bool> value;  ///< nothing: not known
  bool denied = false;        ///< the token may not ask
  std::string problem;        ///< where nothing is known
};

/// One request. Does not throw. Thread-safety: runs on `executor`.
net::Awaitable<OnlyPassing> ask_only_passing(net::Executor executor, ConsulHttp options,
                                             http::ClientTarget target,
                                             std::shared_ptr<http::ClientCancel> cancel,
                                             TimePoint deadline);

}  // namespace pilotfish::registry
