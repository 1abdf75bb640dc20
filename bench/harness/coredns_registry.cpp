#include <boost/json.hpp>
#include <fmt/core.h>
#include <fstream>
#include <map>
#include <signal.h>
#include <thread>

#include "bench/harness/http_peer.hpp"
#include "bench/harness/parts.hpp"
#include "bench/harness/ports.hpp"
#include "bench/harness/process.hpp"
#include "bench/harness/real_registries.hpp"
#include "bench/harness/temp_dir.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

namespace json = boost::json;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr const char* kZone = "prom.local";
constexpr const char* kFolder = "/skydns/local/prom/_tcp/";
constexpr auto kStartLimit = seconds(60);
constexpr auto kCallLimit = seconds(10);

std::string base64(std::string_view data) {
  static constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  unsigned bits = 0;
  unsigned held = 0;
  for (const char c : data) {
    bits = (bits << 8U | static_cast<std::uint8_t>(c)) & 0xffffU;
    for (held += 8; held >= 6; held -= 6) text += kDigits[bits >> (held - 6) & 63U];
  }
  if (held != 0) text += kDigits[bits << (6 - held) & 63U];
  text.append((4 - text.size() % 4) % 4, '=');
  return text;
}

class CoreDns final : public Registry {
 public:
  CoreDns()
      : etcd_program_(find_part("etcd")),
        program_(find_part("coredns")),
        version_(first_line_of(program_, "-version") + ", " +
                 first_line_of(etcd_program_, "--version")) {
    constexpr int kTries = 3;
    for (int i = 1;; ++i) {
      if (start_etcd()) break;
      if (!etcd_->exit_code() || i == kTries) give_up(etcd_program_, *etcd_, "does not come up");
    }
    for (int i = 1;; ++i) {
      write_corefile();
      launch();
      if (await_answer()) break;
      if (!process_->exit_code() || i == kTries) give_up(program_, *process_, "does not come up");
    }
  }

  [[nodiscard]] std::string name() const override { return "coredns"; }
  [[nodiscard]] std::string version() const override { return version_; }
  [[nodiscard]] Endpoint dns() const override { return dns_; }
  [[nodiscard]] std::string srv_name(std::string_view service,
                                     std::string_view tag) const override {
    const auto whole = fmt::format("_{}._tcp.{}", service, kZone);
    return tag.empty() ? whole : fmt::format("_{}.{}", tag, whole);
  }

  void add(std::string_view service, const CatalogueInstance& instance) override {
    instances_[instance.endpoint] = instance;
    publish(service, instance);
  }
  void remove(std::string_view service, const Endpoint& endpoint) override {
    const auto found = instances_.find(endpoint);
    if (found == instances_.end()) return;
    withdraw(key_of(service, found->second));
    instances_.erase(found);
  }
  void set_status(std::string_view service, const Endpoint& endpoint, CheckStatus status) override {
    const auto found = instances_.find(endpoint);
    if (found == instances_.end()) return;
    found->second.status = status;
    publish(service, found->second);
  }

  void begin_outage(Outage kind) override {
    if (kind == Outage::kSilent) {
      process_->freeze();
    } else {
      process_->send(SIGKILL);
      process_->terminate(seconds(5));
    }
  }
  void end_outage() override {
    if (!process_->exit_code()) {
      process_->send(SIGCONT);
      return;
    }
    launch();
    if (!await_answer()) give_up(program_, *process_, "does not come back after its outage");
  }

 private:
  static std::string key_of(std::string_view service, const CatalogueInstance& instance) {
    const auto tag = instance.tags.empty() ? "" : "_" + instance.tags.front() + "/";
    return fmt::format("{}_{}/{}i{}", kFolder, service, tag, instance.endpoint.port);
  }

  void publish(std::string_view service, const CatalogueInstance& instance) {
    const auto key = key_of(service, instance);
    if (instance.status == CheckStatus::kCritical) return withdraw(key);
    const json::object record{{"host", instance.endpoint.address.to_string()},
                              {"port", instance.endpoint.port},
                              {"priority", instance.priority},
                              {"weight", instance.weight()},
                              {"ttl", 1}};
    post("/v3/kv/put", {{"key", base64(key)}, {"value", base64(json::serialize(record))}});
  }
  void withdraw(const std::string& key) { post("/v3/kv/deleterange", {{"key", base64(key)}}); }

  void post(const std::string& path, const json::object& body) {
    const auto answer = api_->call("POST", path, json::serialize(body), kCallLimit);
    if (answer && answer->status == 200) return;
    give_up(etcd_program_, *etcd_,
            fmt::format("refused POST {}: {}", path,
                        answer ? fmt::format("{} {}", answer->status, answer->body)
                               : answer.error().message()));
  }

  bool start_etcd() {
    clients_ = ports_.next();
    const auto client = "http://" + clients_.to_string();
    const auto peer = "http://" + ports_.next().to_string();
    // Its own settings come from the environment too; none of this machine's may reach it.
    etcd_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{
            etcd_program_.string(), "--data-dir",
            (directory_.path() / ("etcd-" + std::to_string(clients_.port))).string(),
            "--listen-client-urls", client, "--advertise-client-urls", client, "--listen-peer-urls",
            peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
            "--logger", "zap", "--log-level", "warn"},
        directory_.path() / "etcd.log", std::vector<std::string>{"ETCD_"});
    api_.emplace(clients_);
    const auto until = Clock::now() + kStartLimit;
    while (Clock::now() < until && !etcd_->exit_code()) {
      const auto health = api_->get("/health", seconds(1));
      if (health && health->status == 200) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
  }

  void write_corefile() {
    dns_ = ports_.next();
    std::ofstream(directory_.path() / "Corefile") << fmt::format(
        "{0}:{1} {{\n    bind 127.0.0.1\n    etcd {0} {{\n        path /skydns\n"
        "        endpoint http://{2}\n    }}\n    errors\n}}\n",
        kZone, dns_.port, clients_.to_string());
  }

  void launch() {
    process_ = std::make_unique<ChildProcess>(
        std::vector<std::string>{program_.string(), "-conf",
                                 (directory_.path() / "Corefile").string()},
        directory_.path() / "coredns.log");
  }

  bool await_answer() {
    const auto probe = view("nobody", "", false);
    const auto until = Clock::now() + kStartLimit;
    while (Clock::now() < until && !process_->exit_code()) {
      if (probe->ports(seconds(1))) return true;
      std::this_thread::sleep_for(milliseconds(20));
    }
    return false;
  }

  [[noreturn]] static void give_up(const std::filesystem::path& program,
                                   const ChildProcess& process, const std::string& what) {
    throw Unavailable(
        fmt::format("{} {}; it said:\n{}", program.string(), what, process.output_tail()));
  }

  const std::filesystem::path etcd_program_;
  const std::filesystem::path program_;
  const std::string version_;
  Ports ports_{any_seed()};
  Endpoint clients_;
  Endpoint dns_;
  std::optional<HttpPeer> api_;
  std::map<Endpoint, CatalogueInstance> instances_;
  TempDir directory_{"pilotfish-coredns"};
  std::unique_ptr<ChildProcess> etcd_;
  std::unique_ptr<ChildProcess> process_;
};

}  // namespace

std::unique_ptr<Registry> start_coredns() {
  return std::make_unique<CoreDns>();
}

}  // namespace pilotfish::bench
