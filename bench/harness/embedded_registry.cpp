#include "bench/harness/embedded_registry.hpp"

namespace pilotfish::bench {

EmbeddedRegistry::EmbeddedRegistry(const DnsServerOptions& options) {
  server_ =
      loop_.run([&] { return std::make_unique<DnsServer>(loop_.executor(), catalogue_, options); });
  endpoint_ = server_->endpoint();
}

EmbeddedRegistry::~EmbeddedRegistry() {
  loop_.run([this] { server_.reset(); });
}

void EmbeddedRegistry::add(std::string_view service, CatalogueInstance instance) {
  catalogue_.with([&](Catalogue& content) { content.add(service, std::move(instance)); });
}

bool EmbeddedRegistry::remove(std::string_view service, const Endpoint& endpoint) {
  return catalogue_.with([&](Catalogue& content) { return content.remove(service, endpoint); });
}

bool EmbeddedRegistry::set_status(std::string_view service, const Endpoint& endpoint,
                                  CheckStatus status) {
  return catalogue_.with(
      [&](Catalogue& content) { return content.set_status(service, endpoint, status); });
}

}  // namespace pilotfish::bench
