#include "bench/harness/catalogue.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

CatalogueInstance instance(std::uint16_t port, std::vector<std::string> tags = {}) {
  CatalogueInstance result;
  result.endpoint = {IpAddress::v4({127, 0, 0, 1}), port};
  result.tags = std::move(tags);
  return result;
}

std::vector<std::uint16_t> ports(const std::vector<CatalogueInstance>& instances) {
  std::vector<std::uint16_t> result;
  for (const auto& one : instances) result.push_back(one.endpoint.port);
  return result;
}

TEST(Catalogue, FindsInstancesByServiceAndTagWithoutCase) {
  Catalogue catalogue;
  catalogue.add("Billing", instance(1, {"V4"}));
  catalogue.add("billing", instance(2, {"v3"}));
  EXPECT_THAT(ports(catalogue.healthy("BILLING")), testing::ElementsAre(1, 2));
  EXPECT_THAT(ports(catalogue.healthy("billing", "v4")), testing::ElementsAre(1));
  EXPECT_TRUE(catalogue.healthy("other").empty());
}

TEST(Catalogue, ReplacesAnInstanceOfTheSameAddress) {
  Catalogue catalogue;
  catalogue.add("billing", instance(1, {"v3"}));
  catalogue.add("billing", instance(1, {"v4"}));
  EXPECT_EQ(catalogue.all("billing").size(), 1U);
  EXPECT_TRUE(catalogue.healthy("billing", "v3").empty());
}

TEST(Catalogue, HidesCriticalAndKeepsWarningWithItsOwnWeight) {
  Catalogue catalogue;
  auto heavy = instance(1);
  heavy.passing_weight = 10;
  heavy.warning_weight = 2;
  catalogue.add("billing", heavy);
  EXPECT_EQ(catalogue.healthy("billing").at(0).weight(), 10);
  EXPECT_TRUE(catalogue.set_status("billing", heavy.endpoint, CheckStatus::kWarning));
  EXPECT_EQ(catalogue.healthy("billing").at(0).weight(), 2);
  EXPECT_TRUE(catalogue.set_status("billing", heavy.endpoint, CheckStatus::kCritical));
  EXPECT_TRUE(catalogue.healthy("billing").empty());
  EXPECT_EQ(catalogue.all("billing").size(), 1U);
}

TEST(Catalogue, SetsTheStatusOfATag) {
  Catalogue catalogue;
  catalogue.add("billing", instance(1, {"v4"}));
  catalogue.add("billing", instance(2, {"v4"}));
  catalogue.add("billing", instance(3, {"v3"}));
  EXPECT_EQ(catalogue.set_status_of_tag("billing", "v4", CheckStatus::kCritical), 2U);
  EXPECT_THAT(ports(catalogue.healthy("billing")), testing::ElementsAre(3));
}

TEST(Catalogue, ForgetsAServiceWithItsLastInstance) {
  Catalogue catalogue;
  catalogue.add("billing", instance(1));
  EXPECT_TRUE(catalogue.knows("billing"));
  EXPECT_FALSE(catalogue.remove("billing", instance(2).endpoint));
  EXPECT_TRUE(catalogue.remove("billing", instance(1).endpoint));
  EXPECT_FALSE(catalogue.knows("billing"));
}

TEST(Catalogue, VersionGrowsWithEveryChangeAndOnlyThen) {
  Catalogue catalogue;
  catalogue.add("billing", instance(1));
  const auto before = catalogue.version();
  EXPECT_FALSE(catalogue.remove("billing", instance(9).endpoint));
  EXPECT_EQ(catalogue.version(), before);
  catalogue.set_status("billing", instance(1).endpoint, CheckStatus::kWarning);
  EXPECT_GT(catalogue.version(), before);
}

}  // namespace
}  // namespace pilotfish::bench
