#include "bench/harness/registry.hpp"

#include "bench/harness/dns_client.hpp"
#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/ports.hpp"
#include "bench/harness/real_registries.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

/// NXDOMAIN is an answer without instances; SERVFAIL and REFUSED are none.
class DnsView final : public RegistryView {
 public:
  DnsView(const Endpoint& server, std::string name) : client_(server), name_(std::move(name)) {}

  std::optional<std::set<std::uint16_t>> ports(Duration limit) override {
    const auto answer = client_.ask_tcp(name_, limit);
    if (!answer || (answer->rcode != 0 && answer->rcode != 3)) return std::nullopt;
    return std::set<std::uint16_t>(answer->ports.begin(), answer->ports.end());
  }

 private:
  DnsClient client_;
  const std::string name_;
};

DnsServerOptions as_consul_does() {
  DnsServerOptions options;
  options.listen = Ports(any_seed()).next();
  options.zone.trim = TrimStyle::kSilent;
  return options;
}

class Embedded final : public Registry {
 public:
  Embedded() : registry_(as_consul_does()) {}

  [[nodiscard]] std::string name() const override { return "embedded"; }
  [[nodiscard]] std::string version() const override { return "embedded registry"; }
  [[nodiscard]] Endpoint dns() const override { return registry_.endpoint(); }
  [[nodiscard]] std::string srv_name(std::string_view service,
                                     std::string_view tag) const override {
    return "_" + std::string(service) + "._" + std::string(tag.empty() ? "tcp" : tag) +
           ".service.consul";
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
  [[nodiscard]] std::optional<std::uint64_t> questions() const override {
    return registry_.questions();
  }
  void begin_outage(Outage kind) override {
    if (kind == Outage::kGone) {
      registry_.close();
    } else {
      registry_.dns().set_mood(DnsMood::kSilent);
    }
  }
  void end_outage() override {
    registry_.open();
    registry_.dns().set_mood(DnsMood::kAnswer);
  }

 private:
  EmbeddedRegistry registry_;
};

}  // namespace

std::unique_ptr<RegistryView> Registry::view(std::string_view service, std::string_view tag,
                                             bool /*by_api*/) const {
  return std::make_unique<DnsView>(dns(), srv_name(service, tag));
}

std::unique_ptr<Registry> start_registry(std::string_view kind) {
  if (kind == "embedded") return std::make_unique<Embedded>();
  if (kind == "consul") return start_consul();
  if (kind == "coredns") return start_coredns();
  throw Unavailable("no registry \"" + std::string(kind) + "\" can be started");
}

}  // namespace pilotfish::bench
