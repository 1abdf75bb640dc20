#include "resolver/watch.hpp"

#include <gtest/gtest.h>

namespace pilotfish::resolver {
namespace {

using namespace std::chrono_literals;

Instance instance(std::uint16_t port, std::vector<std::string> tags) {
  return {{IpAddress::v4({10, 0, 0, 1}), port}, 5, 1, std::move(tags)};
}

WatchState state(InstanceList instances) {
  WatchState out;
  out.up = true;
  out.instances = std::make_shared<const InstanceList>(std::move(instances));
  out.asked = TimePoint{1h};
  out.answered = TimePoint{1h + 5ms};
  out.note = "odd";
  return out;
}

const ConsulSource kSource{"billing", "", {{}}};

TEST(WatchTier, HasTheInstancesWithAllItsTagsInAnyCase) {
  const auto all = state({instance(1, {"V4", "read"}), instance(2, {"v4"}), instance(3, {})});
  EXPECT_EQ(tier_of(all, kSource, {}).instances.size(), 3U);
  EXPECT_EQ(tier_of(all, kSource, {"v4"}).instances.size(), 2U);
  const auto both = tier_of(all, kSource, {"READ", "v4"});
  ASSERT_EQ(both.instances.size(), 1U);
  EXPECT_EQ(both.instances.front().endpoint.port, 1);
  EXPECT_EQ(both.instances.front().weight, 5U);
}

TEST(WatchTier, InstancesCarryTheTiersTagsAsThoseFoundByDnsDo) {
  const auto all = state({instance(1, {"a", "b", "v4"})});
  EXPECT_EQ(tier_of(all, kSource, {"v4"}).instances.front().tags, std::vector<std::string>{"v4"});
  EXPECT_TRUE(tier_of(all, kSource, {}).instances.front().tags.empty());
}

TEST(WatchTier, WithoutInstancesIsEmptyAndNoFailure) {
  const auto none = tier_of(state({instance(1, {"v3"})}), kSource, {"v4"});
  EXPECT_EQ(none.result, LookupResult::kEmpty);
  EXPECT_FALSE(is_failure(none.result));
}

TEST(WatchTier, LeavesOutByTagInAnyCaseAndByMetaWordForWord) {
  auto all = state({instance(1, {"v3"}), instance(2, {"Canary", "v3"}), instance(3, {"v3"})});
  using Details = std::vector<InstanceDetail>;
  all.details = std::make_shared<const Details>(
      Details{{instance(1, {}).endpoint, "n1", {{"a", "b"}, {"stage", "prod"}}},
              {instance(2, {}).endpoint, "n2", {{"stage", "prod"}}},
              {instance(3, {}).endpoint, "n3", {{"stage", "Prod"}}}});
  const auto ports = [&](const ConsulTier& tier) {
    std::vector<std::uint16_t> out;
    for (const auto& one : tier_of(all, kSource, tier).instances) {
      out.push_back(one.endpoint.port);
    }
    return out;
  };
  using Ports = std::vector<std::uint16_t>;
  ConsulTier tier({"v3"});
  tier.without = {"canary", "v9"};
  EXPECT_TRUE(needs_watch(tier));
  EXPECT_EQ(ports(tier), (Ports{1, 3}));
  tier.meta = {{"stage", "prod"}};
  EXPECT_EQ(ports(tier), (Ports{1}));
  tier.without.clear();
  EXPECT_EQ(ports(tier), (Ports{1, 2}));
  tier.meta.emplace("a", "b");
  EXPECT_EQ(ports(tier), (Ports{1}));
  all.details = nullptr;
  EXPECT_EQ(ports(tier), Ports{});
  EXPECT_FALSE(needs_watch(ConsulTier({"v3"})));
}

TEST(WatchTier, OfDnsOnlyThoseStayThatTheWatchHadLetIn) {
  const InstanceList asked{instance(1, {}), instance(2, {}), instance(4, {})};
  const InstanceList matched{instance(2, {}), instance(3, {}), instance(4, {})};
  const auto kept = only_known(asked, matched);
  ASSERT_EQ(kept.size(), 2U);
  EXPECT_EQ(kept[0].endpoint.port, 2);
  EXPECT_EQ(kept[1].endpoint.port, 4);
}

TEST(WatchTier, NeedsOneWatchForEachDatacenter) {
  ConsulSource source{"billing", "dc1", {{"v4"}, {"v3"}, {}}};
  source.tiers[1].datacenter = "dc2";
  source.tiers[2].datacenter = "dc1";
  EXPECT_EQ(watch_keys(source), (std::vector<WatchKey>{{"billing", "dc1"}, {"billing", "dc2"}}));
}

TEST(WatchTier, SaysThatTheWatchAnsweredAndWhen) {
  const auto all = state({instance(1, {})});
  auto answer = tier_of(all, {"billing", "dc2", {{}}}, {});
  ASSERT_EQ(answer.names.size(), 1U);
  EXPECT_EQ(answer.names.front().name, "billing.dc2");
  EXPECT_EQ(answer.names.front().transport, Transport::kWatch);
  EXPECT_EQ(answer.names.front().records, 1U);
  EXPECT_EQ(answer.names.front().note, "odd");
  EXPECT_EQ(answer.asked, TimePoint{1h});
  auto later = all;
  later.asked = TimePoint{2h};
  later.note.clear();
  confirm(answer, later);
  EXPECT_EQ(answer.asked, TimePoint{2h});
  EXPECT_EQ(answer.names.front().note, "");
}

}  // namespace
}  // namespace pilotfish::resolver
