#include "bench/harness/embedded_registry.hpp"

namespace pilotfish::bench {

EmbeddedRegistry::EmbeddedRegistry(const DnsServerOptions& options) : options_(options) {
  open();
  endpoint_ = server_->endpoint();
  options_.listen = endpoint_;
}

EmbeddedRegistry::~EmbeddedRegistry() {
  close();
}

void EmbeddedRegistry::open() {
  if (server_) return;
  server_ = loop_.run(
      [&] { return std::make_unique<DnsServer>(loop_.executor(), catalogue_, options_); });
}

void EmbeddedRegistry::close() {
  questions_before_ = questions();
  loop_.run([this] { server_.reset(); });
}

std::uint64_t EmbeddedRegistry::questions() const {
  return questions_before_ + (server_ ? server_->udp_queries() + server_->tcp_queries() : 0);
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
