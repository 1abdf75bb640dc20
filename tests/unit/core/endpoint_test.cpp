#include "core/endpoint.hpp"

#include <gtest/gtest.h>
#include <set>

namespace pilotfish {
namespace {

TEST(IpAddress, ParsesLiteralsAndWritesThemCanonically) {
  struct Case {
    const char* text;
    const char* canonical;
  };
  for (const auto& [text, canonical] :
       {Case{"10.0.0.1", "10.0.0.1"}, Case{"0.0.0.0", "0.0.0.0"},
        Case{"255.255.255.255", "255.255.255.255"}, Case{"::1", "::1"},
        Case{"2001:0DB8:0000:0000:0000:0000:0000:0001", "2001:db8::1"},
        Case{"::ffff:10.0.0.1", "::ffff:10.0.0.1"}, Case{"::", "::"}}) {
    const auto address = IpAddress::parse(text);
    ASSERT_TRUE(address) << text;
    EXPECT_EQ(address->to_string(), canonical);
    EXPECT_EQ(IpAddress::parse(canonical), address);
  }
}

TEST(IpAddress, RefusesWhatIsNoLiteral) {
  for (const char* text :
       {"", "localhost", "10.0.0", "10.0.0.256", "10.0.0.1 ", " 10.0.0.1", "1.2.3.4.5", "[::1]",
        "::1%lo", "fe80::1%eth0", ":::", "1::2::3", "12345::", "10.0.0.1:80", "0x7f.1",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc"}) {
    EXPECT_FALSE(IpAddress::parse(text)) << text;
  }
  EXPECT_FALSE(IpAddress::parse(std::string_view("10.0.0.1\0", 9))) << "NUL is no end";
}

TEST(IpAddress, KnowsLoopbackAndUnspecified) {
  EXPECT_TRUE(IpAddress::parse("127.0.0.1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("127.255.0.9")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("::1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("128.0.0.1")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("::2")->is_loopback());
  EXPECT_FALSE(IpAddress::parse("1::1")->is_loopback());
  EXPECT_TRUE(IpAddress::parse("0.0.0.0")->is_unspecified());
  EXPECT_TRUE(IpAddress::parse("::")->is_unspecified());
  EXPECT_FALSE(IpAddress::parse("::1")->is_unspecified());
}

TEST(IpAddress, HasItsOctetsInNetworkOrder) {
  const auto four = IpAddress::v4({10, 1, 2, 3});
  EXPECT_TRUE(four.is_v4());
  ASSERT_EQ(four.octets().size(), 4U);
  EXPECT_EQ(four.octets()[0], 10);
  const auto six = *IpAddress::parse("2001:db8::7");
  EXPECT_TRUE(six.is_v6());
  ASSERT_EQ(six.octets().size(), 16U);
  EXPECT_EQ(six.octets()[0], 0x20);
  EXPECT_EQ(six.octets()[15], 7);
  EXPECT_NE(IpAddress::v4({0, 0, 0, 0}), *IpAddress::parse("::"));
}

TEST(Endpoint, ParsesAddressAndPort) {
  EXPECT_EQ(Endpoint::parse("10.0.0.1:80")->to_string(), "10.0.0.1:80");
  EXPECT_EQ(Endpoint::parse("[::1]:65535")->to_string(), "[::1]:65535");
  EXPECT_EQ(Endpoint::parse("10.0.0.1:0")->port, 0);
}

TEST(Endpoint, RefusesEverythingElse) {
  for (const char* text :
       {"", ":", "10.0.0.1", "10.0.0.1:", ":80", "10.0.0.1:65536", "10.0.0.1:-1", "10.0.0.1:80 ",
        "10.0.0.1:+80", "::1:80", "[10.0.0.1]:80", "[::1]", "[::1]80", "[::1:80", "localhost:80",
        "10.0.0.1:8x", "10.0.0.1:0x50", "[]:80"}) {
    EXPECT_FALSE(Endpoint::parse(text)) << text;
  }
}

TEST(Endpoint, IsOrderedAndHashedByAddressAndPort) {
  const auto a = *Endpoint::parse("10.0.0.1:80");
  const auto b = *Endpoint::parse("10.0.0.1:81");
  const auto c = *Endpoint::parse("10.0.0.2:80");
  EXPECT_LT(a, b);
  EXPECT_LT(b, c);
  const std::hash<Endpoint> hash;
  EXPECT_EQ(hash(a), hash(*Endpoint::parse("10.0.0.1:80")));
  std::set<std::size_t> seen;
  for (int host = 0; host < 256; ++host) {
    for (std::uint16_t port = 8000; port < 8040; ++port) {
      seen.insert(hash({IpAddress::v4({10, 0, 0, static_cast<std::uint8_t>(host)}), port}));
    }
  }
  EXPECT_EQ(seen.size(), 256U * 40) << "neighbours do not collide";
}

}  // namespace
}  // namespace pilotfish
