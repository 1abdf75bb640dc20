#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "resolver/tier_merge.hpp"
#include "resolver/tier_names.hpp"

namespace pilotfish::resolver {
namespace {

using testing::ElementsAre;
using testing::SizeIs;

Instance instance(std::uint8_t last, std::uint32_t weight) {
  return {{IpAddress::v4({10, 0, 0, last}), 80}, weight, weight, {}};
}

NameState state(LookupResult result, InstanceList instances = {}, int asked = 1) {
  NameState out;
  out.answer.result = result;
  out.answer.ttl = std::chrono::seconds(asked);
  out.instances = std::move(instances);
  out.known = true;
  out.asked = TimePoint{} + std::chrono::seconds(asked);
  out.answered = out.asked + std::chrono::seconds(1);
  return out;
}

TierAnswer merge(const std::vector<NameState>& names) {
  std::vector<const NameState*> pointers;
  for (const auto& name : names) {
    pointers.push_back(&name);
  }
  return merge_tier(pointers, {"read", "v3"});
}

TEST(TierMerge, IntersectsByAddressAndPortAndKeepsTheFirstNamesWeight) {
  const auto merged =
      merge({state(LookupResult::kOk, {instance(1, 5), instance(2, 6), instance(4, 7)}, 3),
             state(LookupResult::kOk, {instance(2, 1), instance(3, 1), instance(4, 1)}, 2)});
  EXPECT_EQ(merged.result, LookupResult::kOk);
  ASSERT_THAT(merged.instances, SizeIs(2));
  EXPECT_EQ(merged.instances[0].endpoint, instance(2, 0).endpoint);
  EXPECT_EQ(merged.instances[0].weight, 6U);
  EXPECT_EQ(merged.instances[1].priority, 7U);
  EXPECT_THAT(merged.instances[0].tags, ElementsAre("read", "v3"));
  EXPECT_EQ(merged.asked, TimePoint{} + std::chrono::seconds(2));
  EXPECT_EQ(merged.answered, TimePoint{} + std::chrono::seconds(4));
  EXPECT_EQ(merged.ttl, std::chrono::seconds(2));
}

TEST(TierMerge, NothingInCommonIsEmpty) {
  EXPECT_EQ(merge({state(LookupResult::kOk, {instance(1, 1)}),
                   state(LookupResult::kOk, {instance(2, 1)})})
                .result,
            LookupResult::kEmpty);
}

TEST(TierMerge, OneFailureFailsTheTier) {
  const auto merged = merge({state(LookupResult::kOk, {instance(1, 1)}),
                             state(LookupResult::kServfail), state(LookupResult::kTimeout)});
  EXPECT_EQ(merged.result, LookupResult::kServfail);
  EXPECT_THAT(merged.instances, SizeIs(0));
}

TEST(TierMerge, OneCertainlyEmptyNameEmptiesTheTierWhateverElseFails) {
  EXPECT_EQ(merge({state(LookupResult::kTimeout), state(LookupResult::kNxdomain)}).result,
            LookupResult::kNxdomain);
  EXPECT_EQ(merge({state(LookupResult::kEmpty), state(LookupResult::kRefused)}).result,
            LookupResult::kEmpty);
}

TEST(TierMerge, AUsablePartCountsAsAnAnswer) {
  auto part = state(LookupResult::kUnreachable, {instance(1, 1)});
  EXPECT_EQ(merge({part}).result, LookupResult::kUnreachable);
  part.usable = true;
  EXPECT_EQ(merge({part}).result, LookupResult::kOk);
  EXPECT_EQ(merge({part}).names.at(0).result, LookupResult::kUnreachable);
}

TEST(TierNames, AreWhatPeopleRead) {
  EXPECT_THAT(tier_names(ConsulSource{"billing", "", {{"v4"}, {"v3", "read"}, {}}}),
              ElementsAre("v4", "v3+read", "any"));
  EXPECT_THAT(tier_names(SrvSource{{"_a._tcp.local", "b"}, {}}), ElementsAre("_a._tcp.local", "b"));
  EXPECT_THAT(tier_names(StaticSource{}), ElementsAre("static"));
}

std::vector<std::string> texts(const TierPlan& plan) {
  std::vector<std::string> out;
  for (const auto& name : plan.names) {
    out.push_back(name.text);
  }
  return out;
}

TEST(TierNames, AskTagDotServiceInEveryForm) {
  const auto plans = plan_tiers(ConsulSource{"billing", "", {{"v1.2", "tcp"}, {}}}, "consul.");
  ASSERT_THAT(plans, SizeIs(2));
  EXPECT_THAT(texts(plans[0]),
              ElementsAre("v1.2.billing.service.consul", "tcp.billing.service.consul"));
  EXPECT_THAT(plans[0].tags, ElementsAre("tcp", "v1.2"));
  EXPECT_THAT(plans[0].names[0].tags, ElementsAre("v1.2"));
  EXPECT_THAT(texts(plans[1]), ElementsAre("billing.service.consul"));
  ConsulSource mixed{"billing", "dc2", {{"v4"}, {}, {"v3"}}};
  mixed.tiers[1].datacenter = "dc3";
  const auto others = plan_tiers(mixed, "consul");
  EXPECT_THAT(texts(others.at(1)), ElementsAre("billing.service.dc3.dc.consul"));
  EXPECT_EQ(others.at(1).names.front().datacenter, "dc3");
  EXPECT_EQ(others.at(2).names.front().datacenter, "dc2");
  EXPECT_THAT(texts(plan_tiers(ConsulSource{"billing", "dc2", {{"v4"}}}, "consul").at(0)),
              ElementsAre("v4.billing.service.dc2.dc.consul"));
}

TEST(TierNames, CannotBeMistakenForThoseOfRfc2782) {
  // Consul reads _primary._web.service.consul as service "primary" with tag "web".
  const auto plans = plan_tiers(
      ConsulSource{"_web", "", {{"_primary"}, {"_tcp"}, {"v4"}, {"_a._b"}, {}}}, "consul");
  EXPECT_THAT(texts(plans.at(0)), ElementsAre("__web.__primary.service.consul"));
  EXPECT_THAT(texts(plans.at(1)), ElementsAre("__web.__tcp.service.consul"));
  EXPECT_THAT(texts(plans.at(2)), ElementsAre("v4._web.service.consul"));
  EXPECT_THAT(texts(plans.at(3)), ElementsAre("_a._b._web.service.consul"));
  EXPECT_THAT(texts(plans.at(4)), ElementsAre("_web.service.consul"));
  EXPECT_THAT(texts(plan_tiers(ConsulSource{"web", "", {{"_primary"}}}, "consul").at(0)),
              ElementsAre("_primary.web.service.consul"));
}

TEST(TierNames, AskARepeatedTagOnce) {
  const auto plans = plan_tiers(ConsulSource{"billing", "", {{"v4", "v4"}}}, "consul");
  EXPECT_THAT(plans.at(0).names, SizeIs(1));
  EXPECT_THAT(plans.at(0).tags, SizeIs(1));
}

TEST(TierNames, DropTheRootsDotOfSrvNames) {
  EXPECT_THAT(texts(plan_tiers(SrvSource{{"_a._tcp.local."}, {}}, "consul").at(0)),
              ElementsAre("_a._tcp.local"));
}

TEST(TierNames, KnowWhatIsNoDnsName) {
  EXPECT_TRUE(is_askable("env=prod.web.service.consul"));
  EXPECT_TRUE(is_askable(std::string(63, 'a') + ".consul"));
  EXPECT_FALSE(is_askable(std::string(64, 'a') + ".consul"));
  EXPECT_FALSE(is_askable("a b.consul"));
  EXPECT_FALSE(is_askable("a\\b.consul"));
  EXPECT_FALSE(is_askable("a..consul"));
  EXPECT_FALSE(is_askable(""));
  EXPECT_FALSE(is_askable("a."));
  EXPECT_FALSE(is_askable("t\xc3\xa4g.consul"));
  std::string longest;
  for (int label = 0; label < 4; ++label) {
    longest += std::string(62, 'a') + ".";
  }
  longest += "a";
  EXPECT_EQ(longest.size(), 253U);
  EXPECT_TRUE(is_askable(longest));
  EXPECT_FALSE(is_askable(longest + "a"));
}

}  // namespace
}  // namespace pilotfish::resolver
