#include <boost/json.hpp>
#include <fmt/core.h>
#include <map>
#include <signal.h>
#include <thread>

#include "bench/harness/http_peer.hpp"
#include "bench/harness/parts.hpp"
#include "bench/harness/ports.hpp"
#include "bench/harness/process.hpp"
#include "bench/harness/real_registries.hpp"
#include "bench/harness/sockets.hpp"
#include "bench/harness/temp_dir.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

namespace json = boost::json;

constexpr auto kStartLimit = std::chrono::seconds(60);
constexpr auto kCallLimit = std::chrono::seconds(10);

/// The ports of the healthy instances in `/v1/health/service/NAME?passing`.
std::optional<std::set<std::uint16_t>> healthy_ports(std::string_view body) {
  boost::system::error_code ec;
  const auto value = json::parse(body, ec);
  const auto* list = ec ? nullptr : value.if_array();
  if (list == nullptr) return std::nullopt;
  std::set<std::uint16_t> ports;
  for (const auto& entry : *list) {
    const auto* port = entry.find_pointer("/Service/Port", ec);
    if (port == nullptr || !port->is_int64()) return std::nullopt;
    ports.insert(static_cast<std::uint16_t>(port->as_int64()));
  }
  return ports;
}

class ApiView final : public RegistryView {
 public:
  ApiView(const Endpoint& agent, std::string_view service, std::string_view tag)
      : peer_(agent), path_(fmt::format("/v1/health/service/{}?passing&stale", service)) {
    if (!tag.empty()) path_ += fmt::format("&tag={}", tag);
  }
  std::optional<std::set<std::uint16_t>> ports(Duration limit) override {
    const auto answer = peer_.get(path_, limit);
    if (!answer || answer->status != 200) return std::nullopt;
    return healthy_ports(answer->body);
  }

 private:
  HttpPeer peer_;
  std::string path_;
};

std::string_view verb_of(CheckStatus status) {
  if (status == CheckStatus::kPassing) return "pass";
  return status == CheckStatus::kWarning ? "warn" : "fail";
}

std::string_view word_of(CheckStatus status) {
  if (status == CheckStatus::kPassing) return "passing";
  return status == CheckStatus::kWarning ? "warning" : "critical";
}

class Consul final : public Registry {
 public:
  Consul() : program_(find_part("consul")), version_(first_line_of(program_, "version")) {
    constexpr int kTries = 3;
    for (int i = 1;; ++i) {
      choose_ports();
      launch();
      if (await_leader()) return;
      if (!process_->exit_code() || i == kTries) give_up("does not come up");
    }
  }

  [[nodiscard]] std::string name() const override { return "consul"; }
  [[nodiscard]] std::string version() const override { return version_; }
  [[nodiscard]] Endpoint dns() const override { return dns_; }
  [[nodiscard]] std::optional<Endpoint> agent() const override { return http_; }
  [[nodiscard]] std::string srv_name(std::string_view service,
                                     std::string_view tag) const override {
    return fmt::format("_{}._{}.service.consul", service, tag.empty() ? "tcp" : tag);
  }

  void add(std::string_view service, const CatalogueInstance& instance) override {
    registered_[ident(service, instance.endpoint)] = {std::string(service), instance};
    announce(service, instance);
  }
  void remove(std::string_view service, const Endpoint& endpoint) override {
    const auto id = ident(service, endpoint);
    registered_.erase(id);
    put("/v1/agent/service/deregister/" + id, {});
  }
  void set_status(std::string_view service, const Endpoint& endpoint, CheckStatus status) override {
    const auto id = ident(service, endpoint);
    if (const auto found = registered_.find(id); found != registered_.end()) {
      found->second.instance.status = status;
    }
    put(fmt::format("/v1/agent/check/{}/service:{}", verb_of(status), id), {});
  }

  [[nodiscard]] std::unique_ptr<RegistryView> view(std::string_view service, std::string_view tag,
                                                   bool by_api) const override {
    if (by_api) return std::make_unique<ApiView>(http_, service, tag);
    return Registry::view(service, tag, false);
  }

  void begin_outage(Outage kind) override {
    if (kind == Outage::kSilent) {
      process_->freeze();
      return;
    }
    process_->send(SIGKILL);
    process_->terminate(std::chrono::seconds(5));
  }
  void end_outage() override {
    if (!process_->exit_code()) {
      process_->send(SIGCONT);
      return;
    }
    launch();
    if (!await_leader()) give_up("does not come back after its outage");
    for (const auto& [id, entry] : registered_) announce(entry.service, entry.instance);
  }

 private:
  struct Entry {
    std::string service;
    CatalogueInstance instance;
  };

  static std::string ident(std::string_view service, const Endpoint& endpoint) {
    return fmt::format("{}-{}", service, endpoint.port);
  }

  void choose_ports() {
    http_ = ports_.next();
    dns_ = ports_.next();
    serf_ = ports_.next();
    server_ = ports_.next();
    api_.emplace(http_);
  }

  void launch() {
    const auto port = [](const Endpoint& endpoint) { return std::to_string(endpoint.port); };
    process_ = std::make_unique<ChildProcess>(std::vector<std::string>{program_.string(),
                                                                       "agent",
                                                                       "-dev",
                                                                       "-node",
                                                                       "lab",
                                                                       "-client",
                                                                       "127.0.0.1",
                                                                       "-bind",
                                                                       "127.0.0.1",
                                                                       "-http-port",
                                                                       port(http_),
                                                                       "-dns-port",
                                                                       port(dns_),
                                                                       "-grpc-port",
                                                                       "-1",
                                                                       "-grpc-tls-port",
                                                                       "-1",
                                                                       "-serf-lan-port",
                                                                       port(serf_),
                                                                       "-serf-wan-port",
                                                                       "-1",
                                                                       "-server-port",
                                                                       port(server_),
                                                                       "-log-level",
                                                                       "warn"},
                                              directory_.path() / "consul.log",
                                              std::vector<std::string>{"CONSUL_"});
  }

  /// A leader, and the agent's own node in the catalogue: from then on registrations are visible.
  bool await_leader() {
    const auto until = Clock::now() + kStartLimit;
    while (Clock::now() < until && !process_->exit_code()) {
      const auto node = api_->get("/v1/catalog/node/lab", std::chrono::seconds(1));
      if (node && node->status == 200 && node->body.find("\"Node\"") != std::string::npos) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  void announce(std::string_view service, const CatalogueInstance& instance) {
    json::array tags(instance.tags.begin(), instance.tags.end());
    const json::object body{
        {"ID", ident(service, instance.endpoint)},
        {"Name", service},
        {"Address", instance.endpoint.address.to_string()},
        {"Port", instance.endpoint.port},
        {"Tags", std::move(tags)},
        {"Weights", {{"Passing", instance.passing_weight}, {"Warning", instance.warning_weight}}},
        {"Check", {{"TTL", "24h"}, {"Status", word_of(instance.status)}}}};
    put("/v1/agent/service/register", json::serialize(body));
  }

  void put(const std::string& path, const std::string& body) {
    const auto answer = api_->call("PUT", path, body, kCallLimit);
    if (answer && answer->status == 200) return;
    give_up(fmt::format(
        "refused PUT {}: {}", path,
        answer ? fmt::format("{} {}", answer->status, answer->body) : answer.error().message()));
  }

  [[noreturn]] void give_up(const std::string& what) {
    throw Unavailable(
        fmt::format("{} {}; it said:\n{}", program_.string(), what, process_->output_tail()));
  }

  const std::filesystem::path program_;
  const std::string version_;
  Ports ports_{any_seed()};
  Endpoint http_;
  Endpoint dns_;
  Endpoint serf_;
  Endpoint server_;
  std::optional<HttpPeer> api_;
  std::map<std::string, Entry> registered_;
  TempDir directory_{"pilotfish-consul"};
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace

std::unique_ptr<Registry> start_consul() {
  return std::make_unique<Consul>();
}

}  // namespace pilotfish::bench
