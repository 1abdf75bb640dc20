#include "app/completer.hpp"

#include "registry/consul_completer.hpp"

namespace pilotfish::app {

std::unique_ptr<resolver::Completer> make_completer(net::IoContext& io,
                                                    const config::RootOptions& options,
                                                    Logger& logger) {
  for (const auto& upstream : options.upstreams) {
    if (std::holds_alternative<resolver::ConsulSource>(upstream.source)) {
      return std::make_unique<registry::ConsulCompleter>(io.get_executor(), options.consul_http,
                                                         logger);
    }
  }
  return nullptr;
}

}  // namespace pilotfish::app
