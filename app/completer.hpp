#pragma once

#include <memory>

#include "config/root_options.hpp"
#include "core/log.hpp"
#include "net/asio.hpp"
#include "resolver/service_resolver.hpp"

namespace pilotfish::app {

/// What completes answers that DNS trims from the agent's API (registry/), for one executor;
/// nullptr where nothing could need it.
[[nodiscard]] std::unique_ptr<resolver::Completer> make_completer(
    net::IoContext& io, const config::RootOptions& options, Logger& logger);

}  // namespace pilotfish::app
