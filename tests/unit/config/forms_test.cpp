#include <thread>

#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

using namespace std::chrono_literals;

proxy::UpstreamOptions first(const std::string& text) {
  return good(text).upstreams.at(0);
}
resolver::SrvSource srv(const proxy::UpstreamOptions& upstream) {
  return std::get<resolver::SrvSource>(upstream.source);
}
resolver::ConsulSource consul(const proxy::UpstreamOptions& upstream) {
  return std::get<resolver::ConsulSource>(upstream.source);
}
Endpoint address(std::string_view text) {
  return Endpoint::parse(text).value();
}

TEST(Forms, SmallestFileHasEveryDefault) {
  const auto options = good(kSmallest);
  RootOptions expected;
  proxy::UpstreamOptions upstream;
  upstream.name = "a";
  upstream.listen.endpoint = address("127.0.0.1:7001");
  upstream.source = resolver::ConsulSource{"a", "", {{}}};
  expected.upstreams = {upstream};
  EXPECT_TRUE(options == expected) << dump(options);
}

TEST(Forms, ListenIsAnAddressOrAnInheritedSocket) {
  EXPECT_EQ(first(entry("listen: '[::1]:7001'\nconsul: a")).listen.endpoint, address("[::1]:7001"));
  EXPECT_EQ(first(entry("listen: fd:web\nconsul: a")).listen.inherited, "web");
  // Unquoted, it begins a list for YAML; the message has to help.
  EXPECT_EQ(problems(entry("listen: [::1]:7001\nconsul: a")),
            "f.yaml:3:18: YAML: end of map not found; an address in brackets needs quotes: "
            "\"[::1]:7001\"\n");
}

TEST(Forms, PortZeroMayBeListenedOnTwice) {
  good(
      "admin: 127.0.0.1:0\nupstreams:\n  a: {listen: 127.0.0.1:0, consul: a}\n"
      "  b: {listen: 127.0.0.1:0, consul: b}\n");
}

TEST(Forms, UpstreamsKeepTheFilesOrder) {
  const auto options = good(
      "upstreams:\n  z: {listen: 127.0.0.1:1, consul: z}\n  a: {listen: 127.0.0.1:2, consul: a}\n");
  ASSERT_EQ(options.upstreams.size(), 2U);
  EXPECT_EQ(options.upstreams[0].name, "z");
  EXPECT_EQ(options.upstreams[1].name, "a");
}

TEST(Forms, PreferIsTagsListsOfTagsOrAny) {
  using Tiers = std::vector<resolver::ConsulTier>;
  EXPECT_EQ(consul(first(upstream("prefer: v4"))).tiers, Tiers{{"v4"}});
  EXPECT_EQ(consul(first(upstream("prefer: any"))).tiers, Tiers{{}});
  EXPECT_EQ(consul(first(upstream("prefer: [v4.1, [v3, read], any]"))).tiers,
            (Tiers{{"v4.1"}, {"v3", "read"}, {}}));
  EXPECT_EQ(consul(first(upstream("prefer:\n  - 4\n  - [3, 2]"))).tiers,
            (Tiers{{"4"}, {"3", "2"}}));
}

TEST(Forms, SrvIsANameOrOrderedNames) {
  const auto one = srv(first(entry("listen: 127.0.0.1:1\nsrv: _a._tcp.b.\ndns: 127.0.0.1:53")));
  EXPECT_EQ(one.names, std::vector<std::string>{"_a._tcp.b"});
  EXPECT_EQ(one.servers, std::vector{address("127.0.0.1:53")});
  const auto two = srv(first(entry("listen: 127.0.0.1:1\nsrv: [a.b, c.d]")));
  EXPECT_EQ(two.names, (std::vector<std::string>{"a.b", "c.d"}));
  EXPECT_TRUE(two.servers.empty());
}

TEST(Forms, HostsAreNamesWithPortsAsTiers) {
  const auto source = [](const RootOptions& options, std::size_t which = 0) {
    return std::get<resolver::HostsSource>(options.upstreams.at(which).source);
  };
  using Hosts = std::vector<resolver::HostPort>;
  const auto one = good(entry("listen: 127.0.0.1:1\nhosts: app.internal.:8080\ndns: 127.0.0.1:53"));
  EXPECT_EQ(source(one).hosts, (Hosts{{"app.internal", 8080}}));
  EXPECT_EQ(source(one).servers, std::vector{address("127.0.0.1:53")});
  const auto two = good(
      "dns: [10.0.0.1:53]\nupstreams:\n"
      "  a: {listen: 127.0.0.1:1, hosts: [a.b:80, c:81, a.b:82], fresh: ttl, protocol: tcp}\n");
  EXPECT_EQ(source(two).hosts, (Hosts{{"a.b", 80}, {"c", 81}, {"a.b", 82}}));
  EXPECT_EQ(source(two).servers, std::vector{address("10.0.0.1:53")});
  EXPECT_TRUE(good(dump(two)) == two) << dump(two);
}

TEST(Forms, SrvUsesTheTopLevelServersUnlessItHasItsOwn) {
  const auto options = good(
      "dns: [10.0.0.1:53]\nupstreams:\n  a: {listen: 127.0.0.1:1, srv: a}\n"
      "  b: {listen: 127.0.0.1:2, srv: b, dns: [10.0.0.2:53]}\n"
      "  c: {listen: 127.0.0.1:3, consul: c}\n");
  EXPECT_EQ(srv(options.upstreams[0]).servers, std::vector{address("10.0.0.1:53")});
  EXPECT_EQ(srv(options.upstreams[1]).servers, std::vector{address("10.0.0.2:53")});
  EXPECT_TRUE(good(dump(options)) == options);
}

TEST(Forms, StaticHasAddressesAndMaps) {
  const auto source = std::get<resolver::StaticSource>(
      first(entry("listen: 127.0.0.1:1\n"
                  "static: ['[::1]:80', {address: \"10.0.0.2:80\", weight: 2, priority: 1}, "
                  "{address: 10.0.0.1:80, weight: 0}]"))
          .source);
  const InstanceList expected{{address("10.0.0.1:80"), 0, 0, {}},
                              {address("10.0.0.2:80"), 2, 1, {}},
                              {address("[::1]:80"), 1, 0, {}}};
  EXPECT_EQ(source.instances, expected);
}

TEST(Forms, HashOnGoesWithHashingAndIsHarmlessOtherwise) {
  const auto ring = first(upstream("balance: ring_hash\nhash_on: source_ip"));
  EXPECT_TRUE(ring.hash_on.source_ip);
  const auto maglev = first(upstream("balance: maglev\nhash_on: header:X-User"));
  EXPECT_EQ(maglev.hash_on, (proxy::HashOn{false, "x-user"}));
  EXPECT_EQ(first(upstream("hash_on: header:a")).hash_on, (proxy::HashOn{false, "a"}));
}

TEST(Forms, RetryCausesAreNumbersOrTexts) {
  const auto options = first(upstream("retry: {on: [502, '503', connect]}")).retry;
  EXPECT_TRUE(options.on_connect && options.on_502 && options.on_503);
  EXPECT_FALSE(options.on_reset || options.on_504);
  const auto none = first(upstream("retry: {on: []}")).retry;
  EXPECT_FALSE(none.on_connect || none.on_reset || none.on_502 || none.on_503 || none.on_504);
  EXPECT_TRUE(first(upstream("retry: {on: connect}")).retry.on_connect);
}

TEST(Forms, EveryBalanceHasAName) {
  using balancer::Algorithm;
  const std::vector<std::pair<std::string, Algorithm>> words{
      {"least_request", Algorithm::kLeastRequest},
      {"round_robin", Algorithm::kRoundRobin},
      {"random", Algorithm::kRandom},
      {"peak_ewma", Algorithm::kPeakEwma},
      {"ring_hash", Algorithm::kRingHash},
      {"maglev", Algorithm::kMaglev}};
  for (const auto& [word, algorithm] : words) {
    EXPECT_EQ(first(upstream("balance: " + word + "\nhash_on: source_ip")).cluster.algorithm,
              algorithm);
  }
}

TEST(Forms, WorkersMayBeAuto) {
  EXPECT_EQ(good(top("workers: auto")).workers, std::max(1U, std::thread::hardware_concurrency()));
}

TEST(Forms, ConsulHttpHasThreeForms) {
  EXPECT_EQ(good(top("consul: {http: http://consul.local:8500/}")).consul_http.url,
            "http://consul.local:8500");
  EXPECT_EQ(good(top("consul: {http: localhost:8500}")).consul_http.url, "http://localhost:8500");
  EXPECT_EQ(good(top("consul: {http: '[::1]:8500'}")).consul_http.url, "http://[::1]:8500");
  EXPECT_EQ(good(top("consul: {http: unix:///run/c.sock}")).consul_http.url, "unix:///run/c.sock");
}

TEST(Forms, AdminBeyondLoopbackNeedsConsent) {
  EXPECT_EQ(good(top("admin: 0.0.0.0:9900\nadmin_public: true")).admin.listen,
            address("0.0.0.0:9900"));
  EXPECT_EQ(good(top("admin: '[::1]:9900'")).admin.listen, address("[::1]:9900"));
  EXPECT_FALSE(good(top("admin: \"off\"")).admin.listen);
}

TEST(Forms, AnnouncementOfTheSidecarItself) {
  const auto self =
      good(top("register: {web-sidecar: {self: true, tags: sidecar}}")).announcements.at(0);
  EXPECT_TRUE(self.self);
  EXPECT_EQ(self.name, "web-sidecar");
  EXPECT_EQ(self.port, 0);
  EXPECT_EQ(self.tags, std::vector<std::string>{"sidecar"});
  const auto in_etcd = good(top("register: {s: {self: true, in: etcd, srv: a.b}}"));
  EXPECT_EQ(in_etcd.announcements.at(0).in, registry::RegisterIn::kEtcd);
}

}  // namespace
}  // namespace pilotfish::config::test
