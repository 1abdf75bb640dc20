#include "proxy/tier_identity.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::proxy {
namespace {

using ::testing::ElementsAre;

TEST(TierIdentity, IsWhatIsAskedForNotWhereItStands) {
  const resolver::ConsulSource before{"billing", "", {{"v4"}, {"v3", "read"}}};
  const resolver::ConsulSource after{"billing", "", {{"v3", "read"}, {"v5"}, {"v4"}}};
  EXPECT_THAT(match_tiers(tier_identities(before, "consul"), tier_identities(after, "consul")),
              ElementsAre(1, -1, 0));
}

TEST(TierIdentity, DiffersByServiceDatacenterDomainAndKind) {
  const resolver::ConsulSource one{"billing", "", {{"v4"}}};
  const auto known = tier_identities(one, "consul");
  const std::vector<resolver::Source> others{resolver::ConsulSource{"billing2", "", {{"v4"}}},
                                             resolver::ConsulSource{"billing", "dc2", {{"v4"}}},
                                             resolver::SrvSource{{"v4.billing.service.consul"}, {}},
                                             resolver::StaticSource{}};
  for (const auto& other : others) {
    EXPECT_THAT(match_tiers(known, tier_identities(other, "consul")), ElementsAre(-1));
  }
  EXPECT_THAT(match_tiers(known, tier_identities(one, "other")), ElementsAre(-1));
}

TEST(TierIdentity, OfFixedInstancesIsTheSameWhateverTheyAre) {
  const resolver::StaticSource none;
  resolver::StaticSource one;
  one.instances.resize(1);
  EXPECT_THAT(match_tiers(tier_identities(none, "consul"), tier_identities(one, "consul")),
              ElementsAre(0));
}

TEST(TierIdentity, UsesEachFormerTierOnce) {
  EXPECT_THAT(match_tiers({"a", "a"}, {"a", "a", "a"}), ElementsAre(0, 1, -1));
}

}  // namespace
}  // namespace pilotfish::proxy
