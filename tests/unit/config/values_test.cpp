#include "config/values.hpp"

#include "config/names.hpp"
#include "config/nearest.hpp"
#include "tests/unit/config/support.hpp"

namespace pilotfish::config::test {
namespace {

using namespace std::chrono_literals;

TEST(DurationText, HasWholeNumbersAndUnits) {
  const std::vector<std::pair<std::string, Duration>> good{
      {"0", 0s},    {"0s", 0s}, {"5us", 5us},       {"250ms", 250ms}, {"10s", 10s},
      {"1m", 1min}, {"2h", 2h}, {"87600h", 87600h}, {"007s", 7s}};
  for (const auto& [text, value] : good) {
    ASSERT_TRUE(std::holds_alternative<Duration>(parse_duration(text))) << text;
    EXPECT_EQ(std::get<Duration>(parse_duration(text)), value) << text;
  }
  for (const auto* bad :
       {"", "s", "1", "1d", "1.5s", "-1s", "+1s", "1 s", " 1s", "1s ", "1S", "0x1s", "87601h",
        "18446744073709551616s", "99999999999999999999999h", "1m30s"}) {
    EXPECT_TRUE(std::holds_alternative<Mistake>(parse_duration(bad))) << bad;
  }
}

TEST(DurationText, IsWrittenWithTheLargestUnitThatIsWhole) {
  EXPECT_EQ(format_duration(0s), "0s");
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(1500ms), "1500ms");
  EXPECT_EQ(format_duration(7us), "7us");
  EXPECT_EQ(format_duration(24h), "24h");
}

TEST(SizeText, HasBytesAndUnits) {
  const std::vector<std::pair<std::string, std::uint64_t>> good{
      {"0", 0},          {"65536", 65536},      {"12B", 12},     {"32KiB", 32768},
      {"1MiB", 1048576}, {"5GiB", 5ULL << 30U}, {"64KB", 64000}, {"2MB", 2'000'000}};
  for (const auto& [text, value] : good) {
    ASSERT_TRUE(std::holds_alternative<std::uint64_t>(parse_size(text))) << text;
    EXPECT_EQ(std::get<std::uint64_t>(parse_size(text)), value) << text;
    EXPECT_EQ(std::get<std::uint64_t>(parse_size(format_size(value))), value);
  }
  for (const auto* bad :
       {"", "KiB", "1kib", "-1", "1.5MiB", "1 MiB", "99999999999999999999", "99999999999GiB"}) {
    EXPECT_TRUE(std::holds_alternative<Mistake>(parse_size(bad))) << bad;
  }
}

TEST(MinHealthyText, IsANumberOrAShare) {
  EXPECT_EQ(std::get<0>(parse_min_healthy("3")), (balancer::MinHealthy{3, false}));
  EXPECT_EQ(std::get<0>(parse_min_healthy("30%")), (balancer::MinHealthy{30, true}));
  EXPECT_EQ(format_min_healthy({30, true}), "30%");
}

TEST(NearestKey, IsTheOneMeant) {
  const std::vector<std::string> keys{"listen", "limits", "retry", "request_timeout", "max_rate"};
  EXPECT_EQ(nearest("lisen", keys), "listen");
  EXPECT_EQ(nearest("lsiten", keys), "listen");
  EXPECT_EQ(nearest("Listen", keys), "listen");
  EXPECT_EQ(nearest("request-timeout", keys), "request_timeout");
  EXPECT_EQ(nearest("requesttimeout", keys), "request_timeout");
  EXPECT_EQ(nearest("request", keys), "request_timeout");
  EXPECT_EQ(nearest("zebra", keys), "");
  EXPECT_EQ(nearest("", keys), "");
  EXPECT_EQ(nearest(std::string(5000, 'x'), keys), "");
}

TEST(EditDistance, CountsSwapsOnce) {
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("abc", "acb"), 1U);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
}

TEST(DnsNames, FollowTheLimits) {
  EXPECT_EQ(wrong_with_dns_name("_a-b._tcp.prom.local."), "");
  EXPECT_EQ(wrong_with_dns_name(std::string(63, 'x') + ".y"), "");
  EXPECT_NE(wrong_with_dns_name(std::string(64, 'x') + ".y"), "");
  EXPECT_NE(wrong_with_dns_name("."), "");
  EXPECT_NE(wrong_with_dns_name("a..b"), "");
  EXPECT_EQ(wrong_with_tag("urlprefix-/x=y,v1.2"), "");
}

TEST(Datacenters, AreNoWordsThatConsulReadsOtherwise) {
  for (const auto* const good : {"dc1", "eu-west", "services", "a_b"}) {
    EXPECT_EQ(wrong_with_datacenter(good), "") << good;
  }
  for (const auto* const bad : {"service", "Node", "query", "addr", "_dc", "a.b", ""}) {
    EXPECT_NE(wrong_with_datacenter(bad), "") << bad;
  }
}

TEST(HostNames, AreNotMistypedAddresses) {
  EXPECT_TRUE(is_host("10.0.0.1"));
  EXPECT_TRUE(is_host("::1"));
  EXPECT_TRUE(is_host("web-1.local"));
  EXPECT_FALSE(is_host("10.0.0.300"));
  EXPECT_FALSE(is_host(""));
  EXPECT_FALSE(split_host_port("[web]:80"));
}

}  // namespace
}  // namespace pilotfish::config::test
