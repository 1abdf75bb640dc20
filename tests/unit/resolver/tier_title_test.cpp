#include <gmock/gmock.h>

#include "resolver/options.hpp"

namespace pilotfish::resolver {
namespace {

TEST(TierTitle, SaysAllThatATierAsksFor) {
  ConsulTier far({"v4"});
  far.datacenter = "dc2";
  ConsulTier picky({"v3", "read"});
  picky.without = {"canary", "old"};
  picky.meta = {{"stage", "prod"}};
  ConsulTier anywhere;
  anywhere.datacenter = "dc3";
  const ConsulSource source{"billing", "", {{"v4"}, far, picky, anywhere, {}}};
  EXPECT_THAT(tier_names(source),
              ::testing::ElementsAre("v4", "v4@dc2", "v3+read not canary not old stage=prod",
                                     "any@dc3", "any"));
}

}  // namespace
}  // namespace pilotfish::resolver
