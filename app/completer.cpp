#include "app/completer.hpp"

namespace pilotfish::app {

std::unique_ptr<registry::ConsulCompleter> make_completer(net::IoContext& io,
                                                          const config::RootOptions& options,
                                                          Logger& logger, net::Offload* offload) {
  return std::make_unique<registry::ConsulCompleter>(io.get_executor(), options.consul_http, logger,
                                                     offload);
}

}  // namespace pilotfish::app
