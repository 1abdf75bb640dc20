#include "proxy/selection.hpp"

#include <gmock/gmock.h>

#include "proxy/sticky.hpp"
#include "proxy/tier_identity.hpp"

namespace pilotfish::proxy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Shares = std::vector<balancer::SplitShare>;

resolver::ConsulSource consul(std::vector<resolver::ConsulTier> tiers) {
  resolver::ConsulSource out;
  out.service = "billing";
  out.tiers = std::move(tiers);
  return out;
}

TEST(AskedSource, HasATierMoreForAShareThatNoTierIs) {
  auto far = resolver::ConsulTier({"v5"});
  far.datacenter = "dc2";
  const resolver::Source source = consul({{"v4"}, {"read", "v3"}, far});
  const Shares split{{{"v3", "read"}, 10}, {{"v5"}, 20}, {{"v6"}, 5}};
  EXPECT_THAT(tier_names(source, split),
              ElementsAre("v4", "read+v3", "v5@dc2", "split v5", "split v6"));
  const auto roles = tier_roles(source, split);
  EXPECT_EQ(roles.ordered, 3U);
  EXPECT_THAT(roles.shares, ElementsAre(0, 10, 0, 20, 5));
  EXPECT_EQ(asked_source(source, {}), source);
  const resolver::Source fixed = resolver::StaticSource{};
  EXPECT_EQ(asked_source(fixed, {}), fixed);
  EXPECT_EQ(tier_roles(fixed, {}), balancer::TierRoles{});
}

TEST(TierIdentity, TellsTiersOfTheSameNamesApart) {
  auto picky = resolver::ConsulTier({"v3"});
  picky.without = {"canary"};
  auto meta = resolver::ConsulTier({"v3"});
  meta.meta = {{"a", "b"}};
  const auto all = tier_identities(consul({{"v3"}, picky, meta}), "consul");
  EXPECT_NE(all[0], all[1]);
  EXPECT_NE(all[1], all[2]);
  EXPECT_NE(all[0], all[2]);
}

TEST(TierNames, AreNamedByTheirTagsInAnyCase) {
  auto picky = resolver::ConsulTier({"v3"});
  picky.without = {"canary"};
  const TierNames names(consul({{"v4"}, {}, {"v3", "read"}, picky, {"v4", "eu"}, {"v4"}}));
  EXPECT_EQ(names.named("V4"), 0b100001U) << "just that tag, wherever it stands";
  EXPECT_EQ(names.named("v3"), 0b001000U);
  EXPECT_EQ(names.named("read+V3"), 0b000100U);
  EXPECT_EQ(names.named("read"), 0b000100U) << "its instances have it too";
  for (const auto* unknown : {"", "any", "v9", "v4+v9", "+", "v4+", "+v4", "v4 ", "v3+read+eu"}) {
    EXPECT_EQ(names.named(unknown), 0U) << unknown;
  }
  EXPECT_EQ(TierNames(resolver::StaticSource{}).named("v4"), 0U);
}

TEST(DrainedNodes, AreWhatRunsThereAsTheWatchesLastSaid) {
  const auto at = [](std::uint8_t last) { return Endpoint{IpAddress::v4({10, 0, 0, last}), 80}; };
  const auto state = [](std::vector<resolver::InstanceDetail> details) {
    resolver::WatchState out;
    out.details = std::make_shared<const std::vector<resolver::InstanceDetail>>(std::move(details));
    return out;
  };
  DrainedNodes drained;
  drained.set_entries({"10.0.0.9:80", "node:web-3"});
  EXPECT_EQ(drained.list().entries.size(), 1U);
  const resolver::WatchKey here{"billing", ""};
  const resolver::WatchKey there{"billing", "dc2"};
  const auto first = state({{at(1), "web-1", {}}, {at(3), "Web-3", {}}});
  EXPECT_TRUE(drained.take(here, first));
  EXPECT_FALSE(drained.take(here, first));
  EXPECT_TRUE(drained.take(there, state({{at(5), "web-3", {}}})));
  EXPECT_FALSE(drained.take(here, state({{at(1), "web-1", {}}, {at(3), "web-3", {{"a", "b"}}}})));
  ASSERT_EQ(drained.list().entries.size(), 3U);
  EXPECT_EQ(drained.list().find(at(3))->by, "node:web-3");
  EXPECT_EQ(drained.list().find(at(1)), nullptr);
  EXPECT_TRUE(drained.take(there, state({})));
  drained.set_entries({"node:web-1"});
  EXPECT_THAT(drained.list().entries, ElementsAre(balancer::DrainList::Entry{at(1), "node:web-1"}));
  EXPECT_FALSE(drained.keep_watches({here})) << "there nobody was drained";
  EXPECT_TRUE(drained.keep_watches({{"orders", ""}}));
  EXPECT_TRUE(drained.list().entries.empty()) << "what is watched no more is not known";
}

http::RequestHead head_with(std::vector<std::pair<std::string_view, std::string_view>> fields) {
  http::RequestHead head;
  for (const auto& [name, value] : fields) {
    head.fields.push_back({http::Known::kOther, name, value});
  }
  return head;
}

TEST(StickyCookie, IsTakenOutOfTheRequestWhereverItStands) {
  struct Case {
    std::string_view value;
    std::string_view left;
    std::uint64_t found;
  };
  const std::vector<Case> cases{
      {"c=00000000000000ff", "", 255},
      {"a=1; c=00000000000000ff", "a=1", 255},
      {"c=00000000000000ff; b=2", "b=2", 255},
      {"a=1;c=00000000000000ff;b=\"c=3; 4\"", "a=1; b=\"c=3; 4\"", 255},
      {"a=c=00000000000000ff; cc=1; C=2", "a=c=00000000000000ff; cc=1; C=2", 0},
      {"c=ff; a=1", "a=1", 0},
      {"c=00000000000000fg", "", 0},
      {"c=; a", "a", 0},
      {"c", "c", 0},
      {"", "", 0},
  };
  for (const auto& [value, left, found] : cases) {
    auto head = head_with({{"Host", "h"}, {"COOKIE", value}, {"X", "c=1"}});
    std::string text;
    EXPECT_EQ(take_sticky_cookie(head, "c", text), found) << value;
    const bool gone = left.empty() && !value.empty();
    ASSERT_EQ(head.fields.size(), gone ? 2U : 3U) << value;
    if (!gone) {
      EXPECT_EQ(head.fields[1].value, left);
    }
    EXPECT_EQ(head.fields.back().value, "c=1");
  }
  auto two = head_with({{"Cookie", "a=1; c=1"}, {"Cookie", "c=00000000000000ff; b=2"}});
  std::string text;
  EXPECT_EQ(take_sticky_cookie(two, "c", text), 255U);
  EXPECT_EQ(two.fields[0].value, "a=1");
  EXPECT_EQ(two.fields[1].value, "b=2");
}

TEST(StickyCookie, IsStableOpaqueAndOfItsUpstreamAndInstance) {
  balancer::InstanceState one({IpAddress::v4({10, 0, 0, 1}), 80});
  balancer::InstanceState other({IpAddress::v4({10, 0, 0, 1}), 81});
  const auto value = sticky_value("billing", one);
  EXPECT_EQ(value, sticky_value("billing", one));
  EXPECT_NE(value, sticky_value("billing", other));
  EXPECT_NE(value, sticky_value("orders", one));
  std::string field;
  write_sticky_cookie("c", value, std::chrono::hours(1), field);
  EXPECT_THAT(field,
              ::testing::MatchesRegex("Set-Cookie: c=[0-9a-f]{16}; Path=/; Max-Age=3600; HttpOnly; "
                                      "SameSite=Lax\r\n"));
  auto head = head_with({{"Cookie", std::string_view(field).substr(12, 18)}});
  std::string text;
  EXPECT_EQ(take_sticky_cookie(head, "c", text), value) << "what is set is understood";
}

TEST(StickyCookie, ValueOfAnInstanceNeverChangesBetweenReleases) {
  balancer::InstanceState one({IpAddress::v4({10, 0, 0, 1}), 80});
  EXPECT_EQ(sticky_value("billing", one), 0x363c147f45e9494bULL);
}

TEST(StickyCookie, LeavesWhatItRewroteWhereItIsWhileFurtherFieldsAreRewritten) {
  // Behind each bare ';' a space is added: all of it has to fit before the first field is moved.
  std::string more = "c=1;";
  std::string left;
  for (int i = 0; i < 20; ++i) {
    more += "a;";
    left += i == 0 ? "a" : "; a";
  }
  auto two = head_with({{"Cookie", "c=1;z=1"}, {"Cookie", more}});
  std::string text;
  (void)take_sticky_cookie(two, "c", text);
  EXPECT_EQ(two.fields[0].value, "z=1");
  EXPECT_EQ(two.fields[1].value, left);
}

}  // namespace
}  // namespace pilotfish::proxy
