#include "registry/skydns.hpp"

#include <gtest/gtest.h>

#include "registry/self.hpp"

namespace pilotfish::registry {
namespace {

TEST(SkydnsKey, ReversesTheNameAndAppendsTheIdAsALabel) {
  EXPECT_EQ(skydns_key("/skydns", "_web._tcp.prom.local", "web-127.0.0.1-5000"),
            "/skydns/local/prom/_tcp/_web/web-127-0-0-1-5000");
  EXPECT_EQ(skydns_key("/skydns", "node.prom.local", "server01-10.0.0.1-9100"),
            "/skydns/local/prom/node/server01-10-0-0-1-9100");
}

TEST(SkydnsKey, TakesTrailingDotsAndUnusualPrefixes) {
  EXPECT_EQ(skydns_key("/skydns/", "a.local.", "i"), "/skydns/local/a/i");
  EXPECT_EQ(skydns_key("skydns", "a.local", "i"), "/skydns/local/a/i");
  EXPECT_EQ(skydns_key("", "a.local", "i"), "/local/a/i");
  EXPECT_EQ(skydns_key("/skydns", "a..local", "i"), "/skydns/local/a/i");
  EXPECT_EQ(skydns_key("/skydns", "", "i"), "");
  EXPECT_EQ(skydns_key("/skydns", ".", "i"), "");
}

TEST(SkydnsKey, IsInLowerCaseAsCoreDnsAsks) {
  EXPECT_EQ(skydns_key("/skydns", "_Web._TCP.Prom.local", "Web-1"),
            "/skydns/local/prom/_tcp/_web/web-1");
}

TEST(SkydnsLabel, HoldsOnlyWhatALabelCanHold) {
  EXPECT_EQ(skydns_label("web-::1-80"), "web---1-80");
  EXPECT_EQ(skydns_label("a/b c.d"), "a-b-c-d");
}

TEST(SkydnsLabel, CutsLongIdsWithoutMixingThemUp) {
  const auto one = skydns_label(std::string(80, 'a') + "1");
  const auto two = skydns_label(std::string(80, 'a') + "2");
  EXPECT_EQ(one.size(), 63U);
  EXPECT_NE(one, two);
  EXPECT_EQ(one, skydns_label(std::string(80, 'a') + "1"));
}

TEST(SkydnsValue, HasTheFieldsInOrderAndTtlOnlyWhereSet) {
  Announcement announcement;
  announcement.port = 5000;
  EXPECT_EQ(skydns_value(announcement, "10.0.0.1"),
            R"({"host":"10.0.0.1","port":5000,"priority":10,"weight":100})");
  announcement.ttl = 5;
  announcement.priority = 1;
  announcement.weight = 7;
  EXPECT_EQ(skydns_value(announcement, "h"),
            R"({"host":"h","port":5000,"priority":1,"weight":7,"ttl":5})");
}

Announcement self_entry() {
  Announcement announcement;
  announcement.name = "web-sidecar";
  announcement.self = true;
  announcement.tags = {"edge"};
  announcement.meta = {{"team", "a"}};
  return announcement;
}

TEST(SelfAnnouncement, InEtcdItStaysWhileTheSidecarIsNotReady) {
  auto entry = self_entry();
  entry.in = RegisterIn::kEtcd;
  const auto self = fill_self(entry, *Endpoint::parse("10.0.0.5:9900"));
  EXPECT_EQ(self.announcement.check.target, "http://10.0.0.5:9900/health");
}

TEST(Self, IsTheAdminPortWithReadyCheckedEveryTwoSeconds) {
  const auto self = fill_self(self_entry(), *Endpoint::parse("10.0.0.5:9900"));
  EXPECT_EQ(self.announcement.port, 9900);
  EXPECT_EQ(self.announcement.address, "10.0.0.5");
  EXPECT_EQ(self.announcement.check.kind, CheckKind::kHttp);
  EXPECT_EQ(self.announcement.check.target, "http://10.0.0.5:9900/ready");
  EXPECT_EQ(self.announcement.check.interval, 2s);
  EXPECT_EQ(self.announcement.check.timeout, 1s);
  EXPECT_EQ(self.announcement.tags, std::vector<std::string>{"edge"});
  EXPECT_EQ(self.announcement.meta.at("team"), "a");
  EXPECT_TRUE(self.warning.empty());
}

TEST(Self, WarnsOnLoopback) {
  EXPECT_NE(fill_self(self_entry(), *Endpoint::parse("127.0.0.1:9900")).warning.find("Prometheus"),
            std::string::npos);
  EXPECT_FALSE(fill_self(self_entry(), *Endpoint::parse("[::1]:9900")).warning.empty());
}

TEST(Self, BoundToEveryAddressLeavesTheAddressToTheAgent) {
  const auto v4 = fill_self(self_entry(), *Endpoint::parse("0.0.0.0:9900"));
  EXPECT_EQ(v4.announcement.address, "");
  EXPECT_EQ(v4.announcement.check.target, "http://127.0.0.1:9900/ready");
  const auto v6 = fill_self(self_entry(), *Endpoint::parse("[::]:9900"));
  EXPECT_EQ(v6.announcement.check.target, "http://[::1]:9900/ready");
}

TEST(Self, KeepsAnAddressThatWasGiven) {
  auto entry = self_entry();
  entry.address = "192.0.2.1";
  const auto self = fill_self(entry, *Endpoint::parse("127.0.0.1:9900"));
  EXPECT_EQ(self.announcement.address, "192.0.2.1");
  EXPECT_TRUE(self.warning.empty());
}

}  // namespace
}  // namespace pilotfish::registry
