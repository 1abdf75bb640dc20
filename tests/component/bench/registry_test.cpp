#include "bench/harness/registry.hpp"

#include <cstdlib>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "bench/harness/dns_client.hpp"
#include "bench/harness/fleet.hpp"
#include "bench/harness/http_peer.hpp"
#include "bench/harness/parts.hpp"
#include "bench/harness/sockets.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

CatalogueInstance instance(std::uint16_t port, const std::string& tag) {
  CatalogueInstance result;
  result.endpoint = loopback(port);
  result.tags = {tag};
  return result;
}

using Ports = std::set<std::uint16_t>;

/// Asks until the answer is this, at most 20 s.
Ports ask_until(RegistryView& view, const Ports& expected) {
  const auto until = Clock::now() + seconds(20);
  std::optional<Ports> last;
  while (last != expected && Clock::now() < until) {
    last = view.ports(seconds(2));
    if (last != expected) std::this_thread::sleep_for(milliseconds(2));
  }
  return last.value_or(Ports{0});
}

bool is_missing(const std::string& kind) {
  try {
    if (kind == "consul") (void)find_part("consul");
    if (kind == "coredns") (void)find_part("coredns"), (void)find_part("etcd");
  } catch (const Unavailable&) {
    return true;
  }
  return false;
}

/// What all registries promise. The real ones are also driven by tests/e2e, where they must be
/// there; here they are left out where they are not.
class EachRegistry : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (is_missing(GetParam())) GTEST_SKIP() << GetParam() << " is not there: ./dev parts";
    registry_ = start_registry(GetParam());
    any_ = registry_->view("bench", "", false);
    tagged_ = registry_->view("bench", "v4", false);
  }

  std::unique_ptr<Registry> registry_;
  std::unique_ptr<RegistryView> any_;
  std::unique_ptr<RegistryView> tagged_;
};

TEST_P(EachRegistry, ShowsWhatIsRegisteredAndNoMoreWhatIsNot) {
  EXPECT_EQ(registry_->name(), GetParam());
  EXPECT_FALSE(registry_->version().empty());
  EXPECT_EQ(ask_until(*any_, {}), Ports{});
  registry_->add("bench", instance(9001, "v4"));
  registry_->add("bench", instance(9002, "v3"));
  EXPECT_EQ(ask_until(*any_, {9001, 9002}), (Ports{9001, 9002}));
  EXPECT_EQ(ask_until(*tagged_, {9001}), Ports{9001});

  registry_->set_status("bench", loopback(9001), CheckStatus::kCritical);
  EXPECT_EQ(ask_until(*any_, {9002}), Ports{9002});
  EXPECT_EQ(ask_until(*tagged_, {}), Ports{});
  registry_->set_status("bench", loopback(9001), CheckStatus::kPassing);
  EXPECT_EQ(ask_until(*any_, {9001, 9002}), (Ports{9001, 9002}));

  registry_->remove("bench", loopback(9002));
  EXPECT_EQ(ask_until(*any_, {9001}), Ports{9001});
}

TEST_P(EachRegistry, IsItselfAgainAfterEitherKindOfOutage) {
  registry_->add("bench", instance(9001, "v4"));
  ASSERT_EQ(ask_until(*any_, {9001}), Ports{9001});
  for (const auto kind : {Outage::kSilent, Outage::kGone}) {
    registry_->begin_outage(kind);
    EXPECT_EQ(any_->ports(milliseconds(100)), std::nullopt);
    registry_->end_outage();
    EXPECT_EQ(ask_until(*any_, {9001}), Ports{9001});
    registry_->add("bench", instance(9002, "v4"));
    EXPECT_EQ(ask_until(*any_, {9001, 9002}), (Ports{9001, 9002}));
    registry_->remove("bench", loopback(9002));
    EXPECT_EQ(ask_until(*any_, {9001}), Ports{9001});
  }
}

INSTANTIATE_TEST_SUITE_P(Each, EachRegistry, testing::Values("embedded", "consul", "coredns"),
                         [](const auto& one) { return std::string(one.param); });

TEST(EmbeddedRegistry, CountsItsQuestionsOverAnOutage) {
  const auto registry = start_registry("embedded");
  const auto view = registry->view("bench", "", false);
  ASSERT_TRUE(view->ports(seconds(5)));
  ASSERT_TRUE(view->ports(seconds(5)));
  registry->begin_outage(Outage::kGone);
  EXPECT_EQ(registry->questions(), 2U);
  registry->end_outage();
  ASSERT_TRUE(view->ports(seconds(5)));
  EXPECT_EQ(registry->questions(), 3U);
}

TEST(EmbeddedRegistry, TrimsAsConsulDoes) {
  const auto registry = start_registry("embedded");
  for (std::uint16_t port = 1; port <= 300; ++port) registry->add("bench", instance(port, "v1"));
  DnsClient client(registry->dns());
  const auto name = registry->srv_name("bench");
  const auto plain = client.ask_udp(name, 0, seconds(5));
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->ports.size(), 3U);
  EXPECT_FALSE(plain->truncated);
  const auto whole = client.ask_tcp(name, seconds(5));
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->ports.size(), 300U);
}

TEST(MissingRegistry, SaysHowToGetIt) {
  ::setenv("PILOTFISH_CONSUL", "/nowhere/consul", 1);
  try {
    (void)start_registry("consul");
    ADD_FAILURE() << "started from nowhere";
  } catch (const Unavailable& error) {
    EXPECT_THAT(error.what(), HasSubstr("PILOTFISH_CONSUL names /nowhere/consul"));
  }
  ::unsetenv("PILOTFISH_CONSUL");
  const std::string path = std::getenv("PATH");
  ::setenv("PATH", "/nowhere", 1);
  ::setenv("PILOTFISH_CACHE", "/nowhere", 1);
  try {
    (void)find_part("consul");
    ADD_FAILURE() << "found nowhere";
  } catch (const Unavailable& error) {
    EXPECT_THAT(error.what(), HasSubstr("./dev parts"));
  }
  ::setenv("PATH", path.c_str(), 1);
  ::unsetenv("PILOTFISH_CACHE");
}

TEST(Fleet, RemembersWhenRequestsArrivedAndKeepsItsPorts) {
  Fleet fleet({{"v1", "v1"}, 100, any_seed()});
  const auto before = Clock::now();
  HttpPeer peer(fleet.endpoint(1));
  ASSERT_TRUE(peer.get("/", seconds(5)));
  const auto after = Clock::now();
  EXPECT_FALSE(fleet.last(0));
  ASSERT_TRUE(fleet.first_since(1, before));
  EXPECT_LE(*fleet.last(1), after);
  EXPECT_FALSE(fleet.first_since(1, after));

  fleet.kill(1);
  EXPECT_FALSE(peer.get("/", seconds(5)));
  fleet.revive(1);
  const auto again = peer.get("/", seconds(5));
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(again->status, 200U);
  EXPECT_EQ(fleet.arrivals(1).size(), 2U);
  fleet.forget();
  EXPECT_TRUE(fleet.arrivals(1).empty());
}

}  // namespace
}  // namespace pilotfish::bench
