// Which instance a request goes to: split, choose_by, sticky, enabled, drain, not and meta.
#include <array>
#include <atomic>
#include <gmock/gmock.h>
#include <map>
#include <optional>

#include "proxy/sticky.hpp"
#include "tests/component/proxy/proxy_fixture.hpp"
#include "tests/support/fake_dns_server.hpp"

namespace pilotfish::proxy::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

/// An instance that answers with its name; keeps the heads it got.
struct Named {
  Named(net::IoContext& io, std::string name, std::vector<std::string> tag_list)
      : tags(std::move(tag_list)), instance(io, [this, name](Peer& peer) -> net::Awaitable<void> {
          const auto size = std::to_string(name.size());
          const auto answer = "HTTP/1.1 200 OK\r\nContent-Length: " + size + "\r\n\r\n" + name;
          for (;;) {
            const bool head = co_await peer.read_until("\r\n\r\n");
            if (!head) {
              co_return;
            }
            const auto end = peer.received.find("\r\n\r\n") + 4;
            heads.push_back(peer.received.substr(0, end));
            peer.received.erase(0, end);
            while (holds) {
              net::Timer timer(peer.socket().get_executor(), 1ms);
              (void)co_await timer.async_wait(net::kTuple);
            }
            const bool sent = co_await peer.send(answer);
            if (!sent) {
              co_return;
            }
          }
        }) {}
  std::vector<std::string> tags;
  std::vector<std::string> heads;
  bool holds = false;  ///< its answers
  std::string node;
  std::vector<std::pair<std::string, std::string>> meta;
  FakeInstance instance;
};

class SelectionTest : public ProxyTest {
 protected:
  static UpstreamOptions watched(std::vector<resolver::ConsulTier> tiers) {
    auto options = defaults();
    resolver::ConsulSource source;
    source.service = "u";
    source.tiers = std::move(tiers);
    options.source = std::move(source);
    options.fresh = resolver::Freshness::kWatch;
    return options;
  }

  void push(const std::vector<Named*>& all, const std::string& datacenter = "",
            const std::string& service = "u") {
    InstanceList list;
    std::vector<resolver::InstanceDetail> details;
    for (auto* one : all) {
      list.push_back({.endpoint = one->instance.endpoint(), .tags = one->tags});
      details.push_back({one->instance.endpoint(), one->node, one->meta});
    }
    normalise(list);
    std::ranges::sort(details, {}, &resolver::InstanceDetail::endpoint);
    auto state = std::make_shared<resolver::WatchState>();
    state->up = true;
    state->instances = std::make_shared<const InstanceList>(std::move(list));
    state->details =
        std::make_shared<const std::vector<resolver::InstanceDetail>>(std::move(details));
    state->asked = state->answered = Clock::now();
    proxy_->push_watch({service, datacenter}, state);
  }

  void apply(UpstreamOptions options) {
    Proxy::Update update;
    update.upstreams = {std::move(options)};
    std::vector<Proxy::Listener> listeners{{"u", -1, false, ""}};
    proxy_->apply(update, std::move(listeners));
  }

  /// One request on a connection of its own: the answer, whole.
  std::string ask(const std::string& fields = "") {
    std::string received;
    run([&]() -> net::Awaitable<void> {
      Peer client = co_await connect();
      (void)co_await client.send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields +
                                 "\r\n");
      co_await client.read_all();
      received = client.received;
    }());
    return received;
  }
  std::string who(const std::string& fields = "") {
    const auto answer = ask(fields);
    return answer.substr(answer.rfind("\r\n") + 2);
  }
  /// The value of `Set-Cookie: c=...`; "" where there is none.
  static std::string cookie_of(const std::string& answer) {
    const auto at = answer.find("Set-Cookie: c=");
    return at == std::string::npos ? "" : answer.substr(at + 14, 16);
  }
  [[nodiscard]] UpstreamStatus status() const { return proxy_->status(Clock::now()).at(0); }
  [[nodiscard]] InstanceStatus status_of(const Named& one) const {
    for (const auto& each : status().instances) {
      if (each.address == one.instance.endpoint().to_string()) {
        return each;
      }
    }
    return {};
  }

  /// What the gauge of running requests says.
  [[nodiscard]] bool runs(int requests) {
    proxy_->refresh_gauges(Clock::now());
    std::array<metrics::Store*, 1> stores{&store_};
    return metrics::expose(stores, Clock::now())
               .find("pilotfish_upstream_active{upstream=\"u\"} " + std::to_string(requests) +
                     "\n") != std::string::npos;
  }
  /// A request whose answer is awaited by answer_of().
  Peer begin(std::string fields = "") {
    std::optional<Peer> client;
    run([&]() -> net::Awaitable<void> {
      client = co_await connect();
      (void)co_await client->send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + fields +
                                  "\r\n");
    }());
    return std::move(*client);
  }
  std::string answer_of(Peer& client) {
    run(client.read_all());
    return client.received.substr(client.received.rfind("\r\n") + 2);
  }
  /// The cookie that keeps a client with that instance.
  static std::string cookie_for(const Named& one) {
    const balancer::InstanceState state(one.instance.endpoint());
    std::string field;
    write_sticky_cookie("c", sticky_value("u", state), 1h, field);
    return "Cookie: c=" + cookie_of(field) + "\r\n";
  }

  Named v4{io_, "v4", {"v4"}};
  Named v3{io_, "v3", {"v3"}};
  Named v5{io_, "v5", {"v5", "read"}};
};

TEST_F(SelectionTest, ASplitSendsItsShareOfRequestsOnKeptConnectionsToo) {
  auto options = watched({{"v4"}});
  options.cluster.split = {{{"v5"}, 100}};
  start_with_source(options);
  push({&v4, &v5, &v3});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    for (int i = 1; i <= 1000; ++i) {
      (void)co_await client.send(kGet);
      (void)co_await client.read_until("\r\n\r\nv");
      (void)co_await client.read_to(client.received.find("\r\n\r\nv") + 6);
      client.received.clear();
    }
  }());
  EXPECT_NEAR(static_cast<double>(v5.heads.size()), 100, 3);
  EXPECT_EQ(v4.heads.size() + v5.heads.size(), 1000U);
  EXPECT_TRUE(v3.heads.empty()) << "the order alone would not have it either";
  EXPECT_THAT(status().tier_names, ElementsAre("v4", "split v5"));
  EXPECT_THAT(status().reason, HasSubstr("split: 10 % to tier 1 (split v5), 1 instance"));
}

TEST_F(SelectionTest, ASplitWithoutInstancesFollowsTheOrder) {
  auto options = watched({{"v4"}});
  options.cluster.split = {{{"v5"}, 1000}};
  start_with_source(options);
  push({&v4});
  EXPECT_EQ(who(), "v4");
  push({&v4, &v5});
  EXPECT_EQ(who(), "v5");
}

TEST_F(SelectionTest, ARetryOfASplitRequestMayFollowTheOrder) {
  auto options = watched({{"v4"}});
  options.cluster.split = {{{"v5"}, 1000}};
  options.retry.attempts = 1;
  start_with_source(options);
  push({&v4, &v5});
  v5.instance.close();
  EXPECT_EQ(who(), "v4");
}

TEST_F(SelectionTest, SharesOfAReloadCountAtOnce) {
  auto options = watched({{"v4"}});
  options.cluster.split = {{{"v5"}, 0}};
  start_with_source(options);
  push({&v4, &v5});
  EXPECT_EQ(who(), "v4");
  options.cluster.split = {{{"v5"}, 1000}};
  apply(options);
  EXPECT_EQ(who(), "v5");
  options.cluster.split.clear();
  apply(options);
  EXPECT_EQ(who(), "v4");
  options.cluster.split = {{{"v3"}, 1000}};
  apply(options);
  push({&v4, &v5, &v3});
  EXPECT_EQ(who(), "v3");
}

TEST_F(SelectionTest, AHeaderNamesTheTier) {
  auto options = watched({{"v4"}, {"v3"}});
  options.cluster.split = {{{"v5", "read"}, 0}};
  options.choose_by = "x-version";
  start_with_source(options);
  push({&v4, &v3, &v5});
  EXPECT_EQ(who(), "v4");
  EXPECT_EQ(who("X-Version: v3\r\n"), "v3");
  EXPECT_EQ(who("X-Version: V3\r\n"), "v3");
  EXPECT_EQ(who("X-Version: read+v5\r\n"), "v5");
  EXPECT_EQ(who("X-Version: v5\r\n"), "v5") << "its instances have that tag";
  for (const auto* unknown : {"v9", "", "v3+v4", "any", "+", "v3+"}) {
    EXPECT_EQ(who(std::string("X-Version: ") + unknown + "\r\n"), "v4") << unknown;
  }
  push({&v4});
  EXPECT_EQ(who("X-Version: v3\r\n"), "v4") << "it has nobody eligible";
}

TEST_F(SelectionTest, StickyKeepsTheClientByACookieThatIsNotPassedOn) {
  auto options = watched({{}});
  options.sticky = {"c", 90s};
  start_with_source(options);
  push({&v4, &v3, &v5});
  const auto first = ask();
  const auto name = first.substr(first.rfind("\r\n") + 2);
  const auto cookie = cookie_of(first);
  EXPECT_THAT(first, HasSubstr("Set-Cookie: c=" + cookie +
                               "; Path=/; Max-Age=90; HttpOnly; SameSite=Lax\r\n"));
  EXPECT_THAT(first, Not(HasSubstr("127.0.0.1")));
  for (int i = 0; i < 30; ++i) {
    const auto again = ask("Cookie: a=1; c=" + cookie + "; b=2\r\n");
    EXPECT_EQ(again.substr(again.rfind("\r\n") + 2), name);
    EXPECT_EQ(cookie_of(again), "") << "it has it already";
  }
  std::vector<std::string> heads;
  for (const auto* one : {&v4, &v3, &v5}) {
    heads.insert(heads.end(), one->heads.begin(), one->heads.end());
  }
  ASSERT_EQ(heads.size(), 31U);
  for (const auto& head : heads) {
    EXPECT_THAT(head, Not(HasSubstr(cookie)));
    EXPECT_EQ(head.find("Cookie: a=1; b=2\r\n") != std::string::npos,
              head.find("Cookie") != std::string::npos);
  }
  EXPECT_EQ(who("Cookie: c=" + cookie + "\r\n"), name);
  for (const auto* one : {&v4, &v3, &v5}) {
    if (!one->heads.empty() && name == one->tags.front()) {
      EXPECT_THAT(one->heads.back(), Not(HasSubstr("Cookie"))) << "nothing is left of it";
    }
  }
}

TEST_F(SelectionTest, StickyGivesAnotherCookieWhereTheInstanceIsNotEligible) {
  auto options = watched({{}});
  options.sticky = {"c", 1h};
  start_with_source(options);
  push({&v4});
  const auto cookie = cookie_of(ask());
  push({&v4, &v3});
  EXPECT_EQ(who("Cookie: c=" + cookie + "\r\n"), "v4");
  options.drain = {v4.instance.endpoint().to_string()};
  apply(options);
  const auto moved = ask("Cookie: c=" + cookie + "\r\n");
  EXPECT_EQ(moved.substr(moved.rfind("\r\n") + 2), "v3");
  EXPECT_THAT(cookie_of(moved), Not(::testing::AnyOf("", cookie)));
  options.drain.clear();
  apply(options);
  EXPECT_EQ(who("Cookie: c=" + cookie + "\r\n"), "v4") << "stable: it is the same instance";
  push({&v3});
  EXPECT_EQ(who("Cookie: c=" + cookie + "\r\n"), "v3") << "it left";
  for (const auto* strange :
       {"", "0", "zzzzzzzzzzzzzzzz", "0000000000000000", "ffffffffffffffff", "0123456789abcdef0"}) {
    EXPECT_EQ(who("Cookie: c=" + std::string(strange) + "\r\n"), "v3");
  }
}

TEST_F(SelectionTest, StickyKeepsWhomASplitTookAndAHeaderComesBefore) {
  auto options = watched({{"v4"}, {"v3"}});
  options.cluster.split = {{{"v5"}, 1000}};
  options.sticky = {"c", 1h};
  options.choose_by = "x-version";
  start_with_source(options);
  push({&v4, &v3, &v5});
  const auto cookie = cookie_of(ask());
  options.cluster.split = {{{"v5"}, 0}};
  apply(options);
  EXPECT_EQ(who(), "v4");
  EXPECT_EQ(who("Cookie: c=" + cookie + "\r\n"), "v5");
  EXPECT_EQ(who("X-Version: v3\r\nCookie: c=" + cookie + "\r\n"), "v3");
}

TEST_F(SelectionTest, DisabledAnswers503AndComesBack) {
  auto options = watched({{}});
  options.enabled = false;
  start_with_source(options);
  push({&v4});
  const auto answer = ask();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("Proxy-Status: pilotfish; error=destination_unavailable"));
  EXPECT_THAT(answer, HasSubstr("disabled by configuration"));
  EXPECT_EQ(status().tier, -1);
  EXPECT_FALSE(status().required) << "it does not fail /ready";
  EXPECT_THAT(status().reason, HasSubstr("disabled by configuration"));
  options.enabled = true;
  apply(options);
  EXPECT_EQ(who(), "v4");
  EXPECT_TRUE(status().required);
}

TEST_F(SelectionTest, DisabledTcpClosesTheConnection) {
  auto options = defaults();
  options.protocol = Protocol::kTcp;
  options.enabled = false;
  start(options, {v4.instance.endpoint()});
  run([&]() -> net::Awaitable<void> {
    Peer client = co_await connect();
    co_await client.read_all();
    EXPECT_TRUE(client.was_reset);
  }());
  EXPECT_TRUE(v4.instance.peers.empty());
}

TEST_F(SelectionTest, DrainByNodeSendsNothingNew) {
  v3.node = "web-3";
  v4.node = "web-4";
  auto options = watched({{}});
  start_with_source(options);
  push({&v3, &v4});
  options.drain = {"node:WEB-3"};
  apply(options);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(who(), "v4");
  }
  EXPECT_EQ(status_of(v3).state, "draining");
  EXPECT_THAT(status_of(v3).why, HasSubstr("drain: node:WEB-3"));
  v5.node = "web-3";
  push({&v3, &v4, &v5});
  EXPECT_EQ(status_of(v5).state, "draining") << "who comes to that node later too";
  options.drain.push_back(v4.instance.endpoint().to_string());
  apply(options);
  EXPECT_THAT(ask(), HasSubstr("3 instances, is drained by configuration"));
  options.drain.clear();
  apply(options);
  EXPECT_EQ(status_of(v3).state, "healthy");
}

TEST_F(SelectionTest, TiersAskForNotAndMetaAndOtherDatacenters) {
  v3.meta = {{"stage", "prod"}};
  auto first = resolver::ConsulTier({"v4"});
  first.without = {"canary"};
  auto second = resolver::ConsulTier();
  second.meta = {{"stage", "prod"}};
  auto third = resolver::ConsulTier({"v5"});
  third.datacenter = "dc2";
  start_with_source(watched({first, second, third}));
  push({&v4, &v3});
  push({&v5}, "dc2");
  EXPECT_EQ(who(), "v4");
  EXPECT_THAT(status().tier_names, ElementsAre("v4 not canary", "any stage=prod", "v5@dc2"));
  v4.tags = {"Canary", "v4"};
  push({&v4, &v3});
  EXPECT_EQ(who(), "v3");
  v3.meta = {{"stage", "test"}};
  push({&v4, &v3});
  EXPECT_EQ(who(), "v5");
}

TEST_F(SelectionTest, AWatchOfOneDatacenterDoesWithoutThoseOfOthers) {
  auto far = resolver::ConsulTier();
  far.datacenter = "dc2";
  start_with_source(watched({{}, far}));
  push({&v4});
  push({&v5}, "dc2");
  EXPECT_EQ(who(), "v4");
  auto down = std::make_shared<resolver::WatchState>();
  down->problem = "No path to datacenter";
  proxy_->push_watch({"u", "dc2"}, down);
  EXPECT_EQ(who(), "v4");
  push({}, "");
  EXPECT_EQ(who(), "v5") << "its last good set stays: a lookup that fails clears nothing";
}

/// A tier that DNS cannot tell: whoever comes waits until the watch has spoken.
resolver::ConsulTier no_canary() {
  resolver::ConsulTier tier;
  tier.without = {"canary"};
  return tier;
}

TEST_F(SelectionTest, ACookieIsHonouredByTheFirstRequestAfterAStartToo) {
  auto options = watched({no_canary()});
  options.cluster.split = {{{"v5"}, 1000}};
  options.sticky = {"c", 1h};
  options.lookup.timeout = 10s;
  start_with_source(options);
  auto client = begin(cookie_for(v4));
  until([&] { return runs(1); });
  push({&v4, &v5});
  EXPECT_EQ(answer_of(client), "v4");
}

TEST_F(SelectionTest, AShareIsDrawnWhereTheKeptOneLeftWhileTheRequestWaited) {
  auto options = watched({{"v4"}, {"v3"}});
  options.cluster.split = {{{"v5"}, 1000}};
  options.sticky = {"c", 1h};
  options.lookup.timeout = 10s;
  start_with_source(options);
  push({&v4, &v3, &v5});
  EXPECT_EQ(who(cookie_for(v3)), "v3");
  auto other = watched({no_canary(), {"v4"}, {"v3"}});  // its tiers are asked anew
  other.cluster.split = options.cluster.split;
  other.sticky = options.sticky;
  other.lookup.timeout = 10s;
  auto& source = std::get<resolver::ConsulSource>(other.source);
  source.service = "w";
  apply(other);
  auto client = begin(cookie_for(v3));
  until([&] { return runs(1); });
  push({&v4, &v5}, "", "w");
  EXPECT_EQ(answer_of(client), "v5");
}

TEST_F(SelectionTest, WhoCameWhileItWasDisabledWaitsForALookupOnceItIsNot) {
  auto options = watched({no_canary()});
  options.enabled = false;
  options.lookup.timeout = 10s;
  start_with_source(options);
  std::optional<Peer> client;
  run([&]() -> net::Awaitable<void> { client = co_await connect(); }());
  until([&] { return client_connections() == 1; });
  options.enabled = true;
  apply(options);
  run([&]() -> net::Awaitable<void> {
    (void)co_await client->send("GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  }());
  until([&] { return runs(1); });
  EXPECT_EQ(client->received, "");
  push({&v4});
  EXPECT_EQ(answer_of(*client), "v4");
}

TEST_F(SelectionTest, ADrainedNodeIsForgottenWithTheWatchThatKnewIt) {
  v3.node = "web-3";
  auto options = watched({{}});
  options.drain = {"node:web-3"};
  start_with_source(options);
  push({&v3, &v4});
  EXPECT_EQ(status_of(v3).state, "draining");
  auto moved = options;
  std::get<resolver::ConsulSource>(moved.source).service = "w";
  apply(moved);
  EXPECT_EQ(status_of(v3).state, "draining") << "as long as the old set serves";
  v3.node = "web-9";
  push({&v3, &v4}, "", "w");
  EXPECT_EQ(status_of(v3).state, "healthy") << "there it runs elsewhere";
  v3.node = "web-3";
  push({&v3, &v4}, "", "w");
  EXPECT_EQ(status_of(v3).state, "draining");
  moved.fresh = resolver::Freshness::kConnection;
  apply(moved);
  EXPECT_EQ(status_of(v3).state, "healthy") << "nobody says any more what runs there";
}

TEST_F(SelectionTest, AFleetThatIsDrainedIsNoFloodOfLines) {
  auto options = watched({{}});
  start_with_source(options);
  InstanceList list;
  std::vector<std::string> all;
  for (std::uint8_t i = 1; i <= 100; ++i) {
    const Endpoint at{IpAddress::v4({10, 9, 8, i}), 80};
    list.push_back({.endpoint = at, .tags = {}});
    all.push_back(at.to_string());
  }
  auto state = std::make_shared<resolver::WatchState>();
  state->up = true;
  state->instances = std::make_shared<const InstanceList>(std::move(list));
  proxy_->push_watch({"u", ""}, state);
  options.drain = all;
  apply(options);
  const auto said = std::ranges::count_if(logger_.lines, [](const std::string& line) {
    return line.starts_with("drained by configuration");
  });
  EXPECT_GE(said, 1);
  EXPECT_LE(said, 8);
}

/// The last line of the access log.
class LastLine final : public AccessLog {
 public:
  void log(const AccessRecord& record) override {
    tier = record.tier;
    name = record.tier_name;
    reason = record.tier_reason;
  }
  int tier = -2;
  std::string name;
  std::string reason;
};

class LoggedSelectionTest : public SelectionTest {
 protected:
  LoggedSelectionTest() { shared_.access_log = &line; }
  LastLine line;
};

TEST_F(LoggedSelectionTest, ALineNamesTheTierAndWhatLedThere) {
  auto options = watched({{"v4"}, {"v3"}});
  options.cluster.split = {{{"v5"}, 1000}};
  options.choose_by = "x-version";
  options.sticky = {"c", 1h};
  start_with_source(options);
  push({&v4, &v3, &v5});
  EXPECT_EQ(who(), "v5");
  EXPECT_EQ(std::tie(line.tier, line.name), std::make_tuple(2, "split v5"));
  EXPECT_EQ(line.reason, "its share of split");
  EXPECT_EQ(who("X-Version: v3\r\n"), "v3");
  EXPECT_EQ(std::tie(line.tier, line.name), std::make_tuple(1, "v3"));
  EXPECT_EQ(line.reason, "named by choose_by");
  EXPECT_EQ(who(cookie_for(v3)), "v3");
  EXPECT_EQ(line.tier, 1);
  EXPECT_EQ(line.reason, "kept by its sticky cookie");
  EXPECT_EQ(who("X-Version: v4\r\n"), "v4");
  EXPECT_EQ(line.tier, 0);
  EXPECT_THAT(line.reason, HasSubstr("tier 0 (v4)")) << "the tier that serves anyway";
}

TEST_F(LoggedSelectionTest, AWishThatFellThroughIsNoReason) {
  auto options = watched({{"v4"}, {"v3"}});
  options.choose_by = "x-version";
  options.retry.attempts = 1;
  start_with_source(options);
  push({&v4, &v3});
  v3.instance.close();
  EXPECT_EQ(who("X-Version: v3\r\n"), "v4") << "its only instance is gone: a retry follows prefer";
  EXPECT_EQ(line.tier, 0);
  EXPECT_THAT(line.reason, HasSubstr("tier 0 (v4)"));
}

TEST_F(LoggedSelectionTest, AWishThatFellThroughIsNoReasonWhereAnotherTierServesByNowEither) {
  auto options = watched({{"v4"}, {"v3"}, {"read"}});
  options.choose_by = "x-version";
  options.retry.attempts = 1;
  start_with_source(options);
  push({&v4, &v3});
  v3.instance.close();
  v4.holds = true;
  auto client = begin("X-Version: v3\r\n");
  until([&] { return v4.heads.size() == 1; });
  push({&v5});
  EXPECT_EQ(status().tier, 2);
  v4.holds = false;
  EXPECT_EQ(answer_of(client), "v4");
  EXPECT_EQ(line.tier, 0);
  EXPECT_THAT(line.reason, ::testing::StartsWith("picked before another tier served: "));
}

TEST_F(LoggedSelectionTest, ARetryInAnotherTierIsSaidAsSuch) {
  auto options = watched({{"v4"}, {"v3"}});
  options.retry.attempts = 1;
  start_with_source(options);
  push({&v4, &v3});
  v4.instance.close();
  EXPECT_EQ(who(), "v3");
  EXPECT_EQ(std::tie(line.tier, line.name), std::make_tuple(1, "v3"));
  EXPECT_EQ(line.reason, "a retry: of the tier that serves all were tried");
}

TEST_F(SelectionTest, WithoutAWatchTheTierOfAShareIsAskedBeforeEachConnection) {
  std::atomic<bool> there = false;
  const auto here = v4.instance.endpoint().port;
  const auto share = v5.instance.endpoint().port;
  test::FakeDnsServer server([&, here, share](const test::DnsQuery& query) {
    auto reply = query.reply();
    const bool five = query.name.starts_with("v5.");
    if (five && !there) {
      return test::DnsAction::send(reply.rcode(3).opt().build());
    }
    reply.srv(query.name, 1, 1, five ? share : here, "n.node");
    reply.additional();
    reply.address("n.node", IpAddress::v4({127, 0, 0, 1}));
    return test::DnsAction::send(reply.opt().build());
  });
  shared_.consul_dns.server = server.endpoint();
  auto options = watched({{"v4"}});
  options.fresh = resolver::Freshness::kConnection;
  options.lookup.timeout = 5s;
  options.cluster.split = {{{"v5"}, 1000}};
  start_with_source(options);
  EXPECT_EQ(who(), "v4");
  EXPECT_EQ(who(), "v4");
  there = true;
  EXPECT_EQ(who(), "v5") << "the next connection, not when the tier is looked up anyway";
}

}  // namespace
}  // namespace pilotfish::proxy::testing
