#include "bench/harness/registry.hpp"

#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

class Embedded final : public Registry {
 public:
  [[nodiscard]] std::string name() const override { return "embedded"; }
  [[nodiscard]] std::string version() const override { return "embedded registry"; }
  [[nodiscard]] Endpoint dns() const override { return registry_.endpoint(); }
  [[nodiscard]] std::string srv_name(std::string_view service,
                                     std::string_view tag) const override {
    const std::string prefix = tag.empty() ? "" : std::string(tag) + ".";
    return prefix + std::string(service) + ".service.consul";
  }
  void add(std::string_view service, const CatalogueInstance& instance) override {
    registry_.add(service, instance);
  }
  void remove(std::string_view service, const Endpoint& endpoint) override {
    registry_.remove(service, endpoint);
  }
  void set_status(std::string_view service, const Endpoint& endpoint, CheckStatus status) override {
    registry_.set_status(service, endpoint, status);
  }

 private:
  EmbeddedRegistry registry_;
};

}  // namespace

std::unique_ptr<Registry> start_registry(std::string_view kind) {
  if (kind == "embedded") return std::make_unique<Embedded>();
  throw Unavailable("no registry \"" + std::string(kind) + "\" can be started");
}

}  // namespace pilotfish::bench
