#include <algorithm>
#include <functional>
#include <gmock/gmock.h>
#include <set>

#include "config/differences.hpp"
#include "config/tables.hpp"
#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using Matches = ::testing::Matcher<std::vector<std::string>>;

/// One field set to something else than its default, and the one member that this may change.
struct FieldCase {
  std::string path;   ///< as in the reference
  std::string owner;  ///< "" the top level; else an entry of the base file
  std::string line;   ///< replaces the line of the same key, or is added
  std::function<void(RootOptions&)> change;
};

std::string base_with(const std::string& owner, const std::string& line) {
  std::map<std::string, std::vector<std::string>> lines{
      {"", {}},
      {"a", {"listen: 127.0.0.1:7001", "consul: a"}},
      {"w", {"port: 5000", "check: {tcp: 127.0.0.1:5000}"}},
      {"e", {"in: etcd", "srv: _e._tcp.prom.local", "port: 5001"}},
  };
  if (!line.empty()) {
    auto& mine = lines[owner];
    const auto key = line.substr(0, line.find(':') + 1);
    const auto same = std::ranges::find_if(mine, [&](const auto& l) { return l.starts_with(key); });
    if (same == mine.end()) {
      mine.push_back(line);
    } else {
      *same = line;
    }
  }
  const auto body = [&lines](const std::string& name) {
    std::string out = "  " + name + ":\n";
    for (const auto& l : lines[name]) {
      out += "    " + l + "\n";
    }
    return out;
  };
  std::string out;
  for (const auto& l : lines[""]) {
    out += l + "\n";
  }
  return out + "upstreams:\n" + body("a") + "register:\n" + body("w") + body("e");
}

proxy::UpstreamOptions& a(RootOptions& o) {
  return o.upstreams.at(0);
}
registry::Announcement& w(RootOptions& o) {
  return o.announcements.at(0);
}
registry::Announcement& e(RootOptions& o) {
  return o.announcements.at(1);
}
resolver::ConsulSource& consul(RootOptions& o) {
  return std::get<resolver::ConsulSource>(a(o).source);
}
Endpoint address(std::string_view text) {
  return Endpoint::parse(text).value();
}

std::vector<FieldCase> top_cases() {
  return {
      {"admin", "", "admin: off", [](auto& o) { o.admin.listen.reset(); }},
      {"admin_public", "", "admin_public: true", [](auto& o) { o.admin.is_public = true; }},
      {"workers", "", "workers: 3", [](auto& o) { o.workers = 3; }},
      {"max_clients", "", "max_clients: 7", [](auto& o) { o.max_clients = 7; }},
      {"state_dir", "", "state_dir: /x", [](auto& o) { o.state_dir = "/x"; }},
      {"log.level", "", "log: {level: warn}", [](auto& o) { o.log.level = LogLevel::kWarn; }},
      {"log.format", "", "log: {format: json}", [](auto& o) { o.log.format = LogFormat::kJson; }},
      {"log.access", "", "log: {access: /a}", [](auto& o) { o.log.access = "/a"; }},
      {"shutdown.grace", "", "shutdown: {grace: 2s}", [](auto& o) { o.grace = 2s; }},
      {"shutdown.drain", "", "shutdown: {drain: 3s}", [](auto& o) { o.drain = 3s; }},
      {"consul.http", "", "consul: {http: h:1}", [](auto& o) { o.consul_http.url = "http://h:1"; }},
      {"consul.dns", "", "consul: {dns: '[::1]:5'}",
       [](auto& o) { o.consul_dns.server = address("[::1]:5"); }},
      {"consul.domain", "", "consul: {domain: x.y.}", [](auto& o) { o.consul_dns.domain = "x.y"; }},
      {"consul.only_passing", "", "consul: {only_passing: true}",
       [](auto& o) { o.consul_http.only_passing = true; }},
      {"dns", "", "dns: [10.0.0.1:53]", [](auto& o) { o.dns = {address("10.0.0.1:53")}; }},
      {"etcd.endpoints", "", "etcd: {endpoints: [http://a:1, http://b:2]}",
       [](auto& o) {
         o.etcd.endpoints = {"http://a:1", "http://b:2"};
       }},
      {"etcd.prefix", "", "etcd: {prefix: /p}", [](auto& o) { o.etcd.prefix = "/p"; }},
  };
}

std::vector<FieldCase> source_cases() {
  return {
      {"listen", "a", "listen: fd:web",
       [](auto& o) {
         a(o).listen = proxy::ListenAddress{{}, "web"};
       }},
      {"protocol", "a", "protocol: tcp", [](auto& o) { a(o).protocol = proxy::Protocol::kTcp; }},
      {"required", "a", "required: false", [](auto& o) { a(o).required = false; }},
      {"consul.service", "a", "consul: {service: b}", [](auto& o) { consul(o).service = "b"; }},
      {"consul.datacenter", "a", "consul: {service: a, datacenter: d}",
       [](auto& o) { consul(o).datacenter = "d"; }},
      {"prefer.tags", "a", "prefer: [v4, [v3, read], any]",
       [](auto& o) {
         consul(o).tiers = {{"v4"}, {"v3", "read"}, {}};
       }},
      {"prefer.datacenter", "a", "prefer: {datacenter: dc2}",
       [](auto& o) { consul(o).tiers.at(0).datacenter = "dc2"; }},
      {"split", "a", "split: {v5: 0.5%}",
       [](auto& o) {
         a(o).cluster.split = {{{"v5"}, 5}};
       }},
      {"choose_by", "a", "choose_by: header:X-V", [](auto& o) { a(o).choose_by = "x-v"; }},
      {"sticky.cookie", "a", "sticky: {cookie: c}", [](auto& o) { a(o).sticky.cookie = "c"; }},
      {"sticky.ttl", "a", "sticky: {cookie: c, ttl: 2h}",
       [](auto& o) {
         a(o).sticky = {"c", 2h};
       }},
      {"enabled", "a", "enabled: false", [](auto& o) { a(o).enabled = false; }},
      {"drain", "a", "drain: ['10.0.0.1:80']", [](auto& o) { a(o).drain = {"10.0.0.1:80"}; }},
      {"fresh", "a", "fresh: watch", [](auto& o) { a(o).fresh = resolver::Freshness::kWatch; }},
      {"lookup.timeout", "a", "lookup: {timeout: 1s}", [](auto& o) { a(o).lookup.timeout = 1s; }},
      {"lookup.max_rate", "a", "lookup: {max_rate: 5}", [](auto& o) { a(o).lookup.max_rate = 5; }},
      {"fallback.min_healthy", "a", "fallback: {min_healthy: 30%}",
       [](auto& o) {
         a(o).cluster.fallback.min_healthy = {30, true};
       }},
      {"fallback.fail_back_after", "a", "fallback: {fail_back_after: 1m}",
       [](auto& o) { a(o).cluster.fallback.fail_back_after = 1min; }},
      {"fallback.hold_empty", "a", "fallback: {hold_empty: 0}",
       [](auto& o) { a(o).cluster.fallback.hold_empty = 0s; }},
      {"balance", "a", "balance: peak_ewma",
       [](auto& o) { a(o).cluster.algorithm = balancer::Algorithm::kPeakEwma; }},
      {"hash_on", "a", "hash_on: header:X-User",
       [](auto& o) {
         a(o).hash_on = {false, "x-user"};
       }},
  };
}

std::vector<FieldCase> limit_cases() {
  return {
      {"connect_timeout", "a", "connect_timeout: 3s", [](auto& o) { a(o).connect_timeout = 3s; }},
      {"request_timeout", "a", "request_timeout: 3s", [](auto& o) { a(o).request_timeout = 3s; }},
      {"client_half_close", "a", "client_half_close: serve",
       [](auto& o) { a(o).client_half_close = proxy::ClientHalfClose::kServe; }},
      {"idle_timeout", "a", "idle_timeout: 3s", [](auto& o) { a(o).idle_timeout = 3s; }},
      {"timeouts.head", "a", "timeouts: {head: 3s}", [](auto& o) { a(o).timeouts.head = 3s; }},
      {"timeouts.body", "a", "timeouts: {body: 3s}", [](auto& o) { a(o).timeouts.body = 3s; }},
      {"timeouts.write", "a", "timeouts: {write: 3s}", [](auto& o) { a(o).timeouts.write = 3s; }},
      {"timeouts.keep_alive", "a", "timeouts: {keep_alive: 3s}",
       [](auto& o) { a(o).timeouts.keep_alive = 3s; }},
      {"timeouts.pool_idle", "a", "timeouts: {pool_idle: 3s}",
       [](auto& o) { a(o).timeouts.pool_idle = 3s; }},
      {"retry.attempts", "a", "retry: {attempts: 0}", [](auto& o) { a(o).retry.attempts = 0; }},
      {"retry.on", "a", "retry: {on: [connect, reset, 502, 503]}",
       [](auto& o) { a(o).retry.on_504 = false; }},
      {"retry.budget", "a", "retry: {budget: 5%}", [](auto& o) { a(o).retry.budget_percent = 5; }},
      {"retry.backoff", "a", "retry: {backoff: 0}", [](auto& o) { a(o).retry.backoff = 0s; }},
      {"host", "a", "host: 'b.example:8080'",
       [](auto& o) {
         a(o).host = {proxy::HostRule::Kind::kName, "b.example:8080"};
       }},
      {"check.http", "a", "check: {http: '/health?x=1'}",
       [](auto& o) {
         a(o).check = {proxy::ActiveCheckKind::kHttp, "/health?x=1"};
       }},
      {"check.tcp", "a", "check: {tcp: true}",
       [](auto& o) { a(o).check.kind = proxy::ActiveCheckKind::kTcp; }},
      {"check.interval", "a", "check: {tcp: true, interval: 3s}",
       [](auto& o) {
         a(o).check = {proxy::ActiveCheckKind::kTcp, "", 3s};
       }},
      {"check.timeout", "a", "check: {tcp: true, timeout: 3s}",
       [](auto& o) {
         a(o).check = {proxy::ActiveCheckKind::kTcp, "", 5s, 3s};
       }},
      {"check.healthy", "a", "check: {tcp: true, healthy: 7}",
       [](auto& o) {
         a(o).check = {proxy::ActiveCheckKind::kTcp, "", 5s, 1s, 7};
       }},
      {"check.unhealthy", "a", "check: {tcp: true, unhealthy: 7}",
       [](auto& o) { a(o).check = {proxy::ActiveCheckKind::kTcp, "", 5s, 1s, 2, 7}; }},
      {"eject.consecutive", "a", "eject: {consecutive: 0}",
       [](auto& o) { a(o).cluster.eject.consecutive = 0; }},
      {"eject.base", "a", "eject: {base: 1s}", [](auto& o) { a(o).cluster.eject.base = 1s; }},
      {"eject.max", "a", "eject: {max: 1h}", [](auto& o) { a(o).cluster.eject.max = 1h; }},
      {"eject.max_share", "a", "eject: {max_share: 10%}",
       [](auto& o) { a(o).cluster.eject.max_share_percent = 10; }},
      {"limits.connections", "a", "limits: {connections: 9}",
       [](auto& o) { a(o).limits.connections = 9; }},
      {"limits.pending", "a", "limits: {pending: 0}", [](auto& o) { a(o).limits.pending = 0; }},
      {"limits.head", "a", "limits: {head: 8KiB}", [](auto& o) { a(o).limits.head = 8192; }},
      {"limits.body", "a", "limits: {body: 5GiB}", [](auto& o) { a(o).limits.body = 5ULL << 30U; }},
      {"slow_start", "a", "slow_start: 30s", [](auto& o) { a(o).cluster.slow_start = 30s; }},
  };
}

std::vector<FieldCase> register_cases() {
  return {
      {"port", "w", "port: 6000", [](auto& o) { w(o).port = 6000; }},
      {"name", "w", "name: n", [](auto& o) { w(o).name = "n"; }},
      {"address", "w", "address: 10.0.0.1", [](auto& o) { w(o).address = "10.0.0.1"; }},
      {"tags", "w", "tags: [v3, 'x y']",
       [](auto& o) {
         w(o).tags = {"v3", "x y"};
       }},
      {"meta", "w", "meta: {v: 3.10}",
       [](auto& o) {
         w(o).meta = {{"v", "3.10"}};
       }},
      {"weights.passing", "w", "weights: {passing: 9}", [](auto& o) { w(o).weights.passing = 9; }},
      {"weights.warning", "w", "weights: {warning: 0}", [](auto& o) { w(o).weights.warning = 0; }},
      {"check.http", "w", "check: {http: \"https://a/b?c=d\"}",
       [](auto& o) {
         w(o).check = {registry::CheckKind::kHttp, "https://a/b?c=d"};
       }},
      {"check.tcp", "w", "check: {tcp: '[::1]:7'}", [](auto& o) { w(o).check.target = "[::1]:7"; }},
      {"check.ttl", "w", "check: {ttl: 15s}",
       [](auto& o) {
         w(o).check = {registry::CheckKind::kTtl, "", 15s};
       }},
      {"check.interval", "w", "check: {tcp: 127.0.0.1:5000, interval: 3s}",
       [](auto& o) { w(o).check.interval = 3s; }},
      {"check.timeout", "w", "check: {tcp: 127.0.0.1:5000, timeout: 3s}",
       [](auto& o) { w(o).check.timeout = 3s; }},
      {"check.deregister_after", "w", "check: {tcp: 127.0.0.1:5000, deregister_after: 1m}",
       [](auto& o) { w(o).check.deregister_after = 1min; }},
      {"srv", "e", "srv: web.prom.local.", [](auto& o) { e(o).srv = "web.prom.local"; }},
      {"lease", "e", "lease: 5s", [](auto& o) { e(o).lease = 5s; }},
      {"priority", "e", "priority: 0", [](auto& o) { e(o).priority = 0; }},
      {"weight", "e", "weight: 65535", [](auto& o) { e(o).weight = 65535; }},
      {"ttl", "e", "ttl: 1m", [](auto& o) { e(o).ttl = 60; }},
  };
}

std::vector<FieldCase> all_cases() {
  auto out = top_cases();
  for (const auto& more : {source_cases(), limit_cases(), register_cases()}) {
    for (auto field : more) {
      field.path = (field.owner == "a" ? "upstreams.NAME." : "register.NAME.") + field.path;
      out.push_back(field);
    }
  }
  return out;
}

void collect(const std::string& path, const KeyDocs& docs, std::set<std::string>& out) {
  for (const auto& doc : docs) {
    const auto here = path + doc.key;
    if (doc.inside) {
      collect(here + "." + (doc.level.empty() ? "" : doc.level + "."), *doc.inside, out);
    } else {
      out.insert(here);
    }
  }
}

TEST(EveryField, ChangesExactlyItsOwnMember) {
  const auto before = good(base_with("", ""));
  for (const auto& field : all_cases()) {
    const auto text = base_with(field.owner, field.line);
    auto expected = before;
    field.change(expected);
    EXPECT_FALSE(expected == before) << field.path << " is set to its default";
    EXPECT_TRUE(good(text) == expected) << field.path << "\n" << dump(good(text));
  }
}

TEST(EveryField, IsCoveredByACaseOfThisTest) {
  std::set<std::string> keys;
  collect("", root_table().docs(), keys);
  // These choose between alternatives, or need other keys to go: forms_test has them.
  std::set<std::string> covered{"upstreams.NAME.srv",
                                "upstreams.NAME.hosts",
                                "upstreams.NAME.dns",
                                "upstreams.NAME.prefer.not",
                                "upstreams.NAME.prefer.meta",
                                "upstreams.NAME.static.weight",
                                "upstreams.NAME.static.priority",
                                "upstreams.NAME.static.address",
                                "register.NAME.self",
                                "register.NAME.in"};
  for (const auto& field : all_cases()) {
    covered.insert(field.path);
  }
  EXPECT_EQ(keys, covered);
}

TEST(EveryField, IsNamedWhereTwoConfigurationsDiffer) {
  const auto before = good(base_with("", ""));
  EXPECT_THAT(differences(before, before), ::testing::IsEmpty());
  for (const auto& field : all_cases()) {
    auto path = field.path;
    if (const auto at = path.find("NAME"); at != std::string::npos) {
      path.replace(at, 4, field.owner);
    }
    const auto after = good(base_with(field.owner, field.line));
    // A check of another kind takes the place of the one before it; `consul: NAME` becomes a map.
    const auto other_check = path == "register.w.check.http" || path == "register.w.check.ttl";
    for (const std::string whole :
         {"upstreams.a.consul", "upstreams.a.prefer", "upstreams.a.sticky"}) {
      path = path.starts_with(whole + ".") ? whole : path;
    }
    if (path.starts_with("upstreams.a.check.")) {
      path = "upstreams.a.check";  // there was none before
    }
    const auto only = other_check ? Matches(Contains(path)) : Matches(ElementsAre(path));
    EXPECT_THAT(differences(before, after), only);
    EXPECT_THAT(differences(after, before), only);
  }
}

TEST(Differences, NameEntriesThatCameOrWentAndTheTokenThatNoKeyHas) {
  const auto before = good(base_with("", ""));
  auto after = before;
  after.upstreams.push_back(before.upstreams[0]);
  after.upstreams[1].name = "b";
  after.announcements.erase(after.announcements.begin());
  after.consul_http.token = "secret";
  EXPECT_THAT(differences(before, after), ElementsAre("upstreams.b", "register.w", "consul.token"));
}

TEST(EveryField, SurvivesDumpAndLoad) {
  for (const auto& field : all_cases()) {
    const auto options = good(base_with(field.owner, field.line));
    const auto text = dump(options);
    EXPECT_TRUE(good(text) == options) << field.path << "\n" << text;
    EXPECT_EQ(dump(good(text)), text);
  }
}

}  // namespace
}  // namespace pilotfish::config::test
