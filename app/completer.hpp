#pragma once

#include <memory>

#include "config/root_options.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "registry/consul_completer.hpp"

namespace pilotfish::app {

/// What completes answers that DNS trims from the agent's API, for one executor. Also where nothing
/// needs it yet: a reload may bring an upstream that does.
[[nodiscard]] std::unique_ptr<registry::ConsulCompleter> make_completer(
    net::IoContext& io, const config::RootOptions& options, Logger& logger,
    net::Offload* offload = nullptr);

}  // namespace pilotfish::app
