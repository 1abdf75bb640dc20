#include "resolver/srv_instances.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "resolver/trim.hpp"

namespace pilotfish::resolver {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

IpAddress ip(const char* text) {
  return *IpAddress::parse(text);
}

InstanceList instances_of(const DnsAnswer& answer) {
  return read_srv(answer, "consul").instances;
}

Instance named(const char* address, std::uint32_t weight, std::uint32_t priority,
               const char* host) {
  Instance out{{ip(address), 80}, weight, priority, {}};
  out.host = host;
  return out;
}

TEST(SrvInstances, DecodesAddressesFromTheTarget) {
  EXPECT_EQ(decode_addr_name("0a0000ff.addr.dc1.consul", "consul"), ip("10.0.0.255"));
  EXPECT_EQ(decode_addr_name("0a0000ff.addr.consul", "consul"), ip("10.0.0.255"));
  EXPECT_EQ(decode_addr_name("fd000000000000000000000000000001.addr.dc1.consul", "consul"),
            ip("fd00::1"));
  for (const auto* wrong :
       {"0a0000f.addr.dc1.consul", "0a0000fg.addr.dc1.consul", "0a0000ff.addr.dc1.other",
        "0a0000ff.node.dc1.consul", "0a0000ff", "0a0000ff.addrx.consul", "+a0000ff.addr.dc1.consul",
        "0a0000ff.addr.dc1.notconsul"}) {
    EXPECT_FALSE(decode_addr_name(wrong, "consul")) << wrong;
  }
  EXPECT_FALSE(decode_addr_name("0a0000ff.addr.dc1.consul", ""));
}

TEST(SrvInstances, KeepsTheTargetsNameButNotConsulsOwn) {
  DnsAnswer answer;
  answer.srv = {{1, 1, 80, "web-1.example", true}};
  answer.addresses = {{"web-1.example", ip("10.0.0.1")}};
  EXPECT_EQ(read_srv(answer, "").instances.front().host, "web-1.example");
  EXPECT_EQ(read_srv(answer, "consul").instances.front().host, "");
}

TEST(SrvInstances, TakesAddressesOnlyForTargetsOfThisAnswer) {
  DnsAnswer answer;
  answer.srv = {{1, 2, 80, "a", true}};
  answer.addresses = {{"a", ip("10.0.0.1")}, {"evil", ip("6.6.6.6")}};
  EXPECT_THAT(instances_of(answer), ElementsAre(Instance{{ip("10.0.0.1"), 80}, 2, 1, {}}));
}

TEST(SrvInstances, GivesOneInstancePerAddressOfATarget) {
  DnsAnswer answer;
  answer.srv = {{0, 1, 80, "a", true}};
  answer.addresses = {{"a", ip("10.0.0.1")}, {"a", ip("fd00::1")}, {"a", ip("10.0.0.1")}};
  EXPECT_THAT(instances_of(answer), SizeIs(2));
}

TEST(SrvInstances, ManyInstancesOfOneHostAreNotMultipliedByItsRepeatedAddress) {
  DnsAnswer answer;
  for (std::uint16_t port = 1; port <= 300; ++port) {
    answer.srv.push_back({1, 1, port, "host", true});
    answer.addresses.push_back({"host", ip("10.0.0.1")});
  }
  const auto instances = instances_of(answer);
  EXPECT_THAT(instances, SizeIs(300));
  EXPECT_LT(instances.capacity(), 1000U) << "there were 90,000 on the way";
}

TEST(SrvInstances, FollowsAliasesOfTargetsButNotForEver) {
  DnsAnswer answer;
  answer.srv = {{0, 1, 80, "a", true}, {0, 1, 80, "loop", true}};
  answer.aliases = {{"a", "b"}, {"b", "c"}, {"loop", "pool"}, {"pool", "loop"}};
  answer.addresses = {{"c", ip("10.0.0.1")}};
  const auto reading = read_srv(answer, "");
  EXPECT_THAT(reading.instances, SizeIs(1));
  EXPECT_THAT(reading.missing, ElementsAre("loop"));
}

TEST(SrvInstances, NamesEachMissingTargetOnce) {
  DnsAnswer answer;
  answer.srv = {{0, 1, 80, "a", true}, {0, 1, 81, "a", true}, {0, 1, 82, "b", true}};
  EXPECT_THAT(read_srv(answer, "").missing, ElementsAre("a", "b"));
}

TEST(SrvInstances, UsesWhatWasLookedUpOnlyForTargetsWithoutAnAddress) {
  DnsAnswer answer;
  answer.srv = {{0, 1, 80, "a", true}, {0, 2, 80, "b", true}};
  answer.addresses = {{"a", ip("10.0.0.1")}};
  const AddressBook book{{"a", {ip("10.0.0.9")}}, {"b", {ip("10.0.0.2"), ip("fd00::2")}}};
  const auto reading = read_srv(answer, "", book);
  EXPECT_THAT(reading.missing, IsEmpty());
  EXPECT_THAT(reading.instances,
              ElementsAre(named("10.0.0.1", 1, 0, "a"), named("10.0.0.2", 2, 0, "b"),
                          named("fd00::2", 2, 0, "b")));
}

TEST(SrvInstances, SkipsPortZeroUnusableTargetsAndTheDot) {
  DnsAnswer answer;
  answer.srv = {{0, 1, 0, "a", true}, {0, 1, 80, "b c", false}, {0, 1, 80, "", true}};
  answer.addresses = {{"a", ip("10.0.0.1")}, {"b c", ip("10.0.0.2")}, {"", ip("10.0.0.3")}};
  const auto reading = read_srv(answer, "");
  EXPECT_THAT(reading.instances, IsEmpty());
  EXPECT_THAT(reading.missing, IsEmpty());
  EXPECT_EQ(reading.skipped, 2U);
}

TEST(SrvInstances, CountsDuplicatesOnceWithTheFirstWeight) {
  DnsAnswer answer;
  answer.srv = {{0, 3, 80, "a", true}, {0, 9, 80, "b", true}};
  answer.addresses = {{"a", ip("10.0.0.1")}, {"b", ip("10.0.0.1")}};
  EXPECT_THAT(read_srv(answer, "").instances, ElementsAre(named("10.0.0.1", 3, 0, "a")));
}

TEST(SrvInstances, OfDuplicatesInConsulsAnswersTheHighestWeightCountsInAnyOrder) {
  DnsAnswer answer;
  answer.srv = {{0, 0, 80, "b", true}, {0, 65535, 80, "a", true}};
  answer.addresses = {{"a", ip("10.0.0.1")}, {"b", ip("10.0.0.1")}};
  EXPECT_THAT(instances_of(answer), ElementsAre(Instance{{ip("10.0.0.1"), 80}, 65535, 0, {}}));
}

TEST(Trim, LooksTrimmedNearTheSizeOrWithFewRecordsWithoutEdns) {
  EXPECT_FALSE(looks_trimmed(3583, 60, true));
  EXPECT_TRUE(looks_trimmed(3584, 60, true));
  EXPECT_TRUE(looks_trimmed(200, 3, false));
  EXPECT_TRUE(looks_trimmed(400, 8, false));
  EXPECT_FALSE(looks_trimmed(450, 9, false));
  EXPECT_TRUE(looks_trimmed(1199, 26, false));  // dnsmasq in front of Consul, 4 of 30 missing
  EXPECT_FALSE(looks_trimmed(200, 3, true));
  EXPECT_FALSE(looks_trimmed(100, 0, false));
}

TEST(Trim, TcpIsTrimmedFromAThousandRecordsOrSixtyFourThousandBytes) {
  EXPECT_FALSE(trimmed_over_tcp(63999, 999));
  EXPECT_TRUE(trimmed_over_tcp(100, 1000));
  EXPECT_TRUE(trimmed_over_tcp(64000, 10));
}

}  // namespace
}  // namespace pilotfish::resolver
