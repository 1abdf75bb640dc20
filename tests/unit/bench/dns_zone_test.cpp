#include "bench/harness/dns_zone.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "tests/unit/bench/dns_decoder.hpp"

namespace pilotfish::bench {
namespace {

using testing_dns::Decoded;
using testing_dns::query;

constexpr unsigned kA = 1;
constexpr unsigned kAaaa = 28;
constexpr unsigned kSrv = 33;

CatalogueInstance instance(unsigned n, std::vector<std::string> tags = {}) {
  CatalogueInstance result;
  result.endpoint = {IpAddress::v4({10, 0, static_cast<std::uint8_t>(n >> 8U),
                                    static_cast<std::uint8_t>(n & 255U)}),
                     static_cast<std::uint16_t>(1000 + n)};
  result.tags = std::move(tags);
  return result;
}

class DnsZone : public testing::Test {
 protected:
  Decoded ask(const std::string& name, unsigned type = kSrv, unsigned edns = 0,
              DnsTransport transport = DnsTransport::kUdp) {
    const auto asked = parse_query(query(name, type, edns));
    EXPECT_TRUE(asked);
    bytes_ = encode_within(answer_query(catalogue_, *asked, options_, random_), transport,
                           options_.trim);
    return Decoded(bytes_);
  }
  void fill(unsigned count) {
    for (unsigned i = 1; i <= count; ++i) catalogue_.add("billing", instance(i));
  }

  Catalogue catalogue_;
  DnsZoneOptions options_;
  Random random_{3};
  std::vector<std::uint8_t> bytes_;
};

TEST_F(DnsZone, AnswersSrvWithTargetsAndTheirAddresses) {
  auto one = instance(1, {"v4"});
  one.passing_weight = 7;
  catalogue_.add("billing", one);
  const auto answer = ask("billing.service.consul");
  EXPECT_EQ(answer.id, 0x1234U);
  EXPECT_EQ(answer.question, "billing.service.consul");
  EXPECT_TRUE(answer.authoritative());
  ASSERT_EQ(answer.answers.size(), 1U);
  const auto& srv = answer.answers[0];
  EXPECT_EQ(srv.name, "billing.service.consul");
  EXPECT_EQ(srv.ttl, 0U);
  EXPECT_EQ(srv.priority, 1U);
  EXPECT_EQ(srv.weight, 7U);
  EXPECT_EQ(srv.port, 1001U);
  EXPECT_EQ(srv.target, "0a000001.addr.dc1.consul");
  ASSERT_EQ(answer.additional.size(), 1U);
  EXPECT_EQ(answer.additional[0].name, srv.target);
  EXPECT_EQ(answer.additional[0].data, std::string("\x0a\0\0\x01", 4));
}

TEST_F(DnsZone, UnderstandsAllWaysToNameAService) {
  catalogue_.add("billing", instance(1, {"v4"}));
  catalogue_.add("billing", instance(2, {"v3"}));
  catalogue_.add("_web._tcp.prom.local", instance(3));
  EXPECT_EQ(ask("BILLING.service.dc1.Consul").answers.size(), 2U);
  EXPECT_EQ(ask("v4.billing.service.consul").answers.size(), 1U);
  EXPECT_EQ(ask("_billing._v3.service.consul").answers.size(), 1U);
  EXPECT_EQ(ask("_billing._tcp.service.consul").answers.size(), 2U);
  EXPECT_EQ(ask("_web._tcp.prom.local").answers.size(), 1U);
}

TEST_F(DnsZone, EchoesTheCaseOfTheQuestion) {
  catalogue_.add("billing", instance(1));
  EXPECT_EQ(ask("BiLLing.service.consul").question, "BiLLing.service.consul");
}

TEST_F(DnsZone, DeniesUnknownNamesAndNamesWithoutHealthyInstances) {
  catalogue_.add("billing", instance(1));
  EXPECT_EQ(ask("other.service.consul").rcode(), 3U);
  EXPECT_EQ(ask("v9.billing.service.consul").rcode(), 3U);
  catalogue_.set_status("billing", instance(1).endpoint, CheckStatus::kCritical);
  const auto answer = ask("billing.service.consul");
  EXPECT_EQ(answer.rcode(), 3U);
  EXPECT_TRUE(answer.answers.empty());
  ASSERT_EQ(answer.authority.size(), 1U);
  EXPECT_EQ(answer.authority[0].type, 6U);
}

TEST_F(DnsZone, RefusesNamesOfOthers) {
  EXPECT_EQ(ask("example.org").rcode(), 5U);
}

TEST_F(DnsZone, DecodesAddressNames) {
  const auto v4 = ask("7f000001.addr.dc1.consul", kA);
  ASSERT_EQ(v4.answers.size(), 1U);
  EXPECT_EQ(v4.answers[0].data, std::string("\x7f\0\0\x01", 4));
  const auto v6 = ask("20010db8000000000000000000000001.addr.dc1.consul", kAaaa);
  ASSERT_EQ(v6.answers.size(), 1U);
  EXPECT_EQ(v6.answers[0].type, kAaaa);
  EXPECT_TRUE(ask("7f000001.addr.dc1.consul", kAaaa).answers.empty());
  EXPECT_EQ(ask("7f0000zz.addr.dc1.consul", kA).rcode(), 3U);
}

TEST_F(DnsZone, Ipv6InstancesGetAaaaInAdditional) {
  CatalogueInstance six;
  six.endpoint = {*IpAddress::parse("2001:db8::5"), 80};
  catalogue_.add("billing", six);
  const auto answer = ask("billing.service.consul");
  EXPECT_EQ(answer.answers.at(0).target, "20010db8000000000000000000000005.addr.dc1.consul");
  EXPECT_EQ(answer.additional.at(0).type, kAaaa);
}

TEST_F(DnsZone, ShufflesItsAnswers) {
  fill(5);
  std::set<unsigned> first;
  for (int i = 0; i < 100; ++i) first.insert(ask("billing.service.consul").answers.at(0).port);
  EXPECT_EQ(first.size(), 5U);
}

TEST_F(DnsZone, TruncatesToWhatTheClientTakes) {
  fill(100);
  for (const unsigned edns : {0U, 512U, 1232U, 4096U}) {
    const auto answer = ask("billing.service.consul", kSrv, edns);
    EXPECT_LE(bytes_.size(), edns == 0 ? 512U : edns);
    EXPECT_TRUE(answer.truncated());
    EXPECT_GT(answer.answers.size(), 1U);
    EXPECT_LT(answer.answers.size(), 100U);
    EXPECT_EQ(answer.has_opt(), edns != 0);
    EXPECT_EQ(answer.additional.size() - (edns != 0 ? 1 : 0), answer.answers.size());
  }
  EXPECT_FALSE(ask("billing.service.consul", kSrv, 65000).truncated());
  const auto tcp = ask("billing.service.consul", kSrv, 0, DnsTransport::kTcp);
  EXPECT_EQ(tcp.answers.size(), 100U);
  EXPECT_FALSE(tcp.truncated());
}

TEST_F(DnsZone, TrimsSilentlyWhereAskedTo) {
  options_.trim = TrimStyle::kSilent;
  fill(1200);
  const auto plain = ask("billing.service.consul");
  EXPECT_EQ(plain.answers.size(), 3U);
  EXPECT_FALSE(plain.truncated());
  EXPECT_EQ(ask("billing.service.consul", kSrv, 512).answers.size(), 3U);
  const auto edns = ask("billing.service.consul", kSrv, 4096);
  EXPECT_FALSE(edns.truncated());
  EXPECT_GT(edns.answers.size(), 10U);
  EXPECT_LE(bytes_.size(), 4088U);
  const auto tcp = ask("billing.service.consul", kSrv, 0, DnsTransport::kTcp);
  EXPECT_FALSE(tcp.truncated());
  EXPECT_LE(tcp.answers.size(), 1024U);
  EXPECT_LE(bytes_.size(), 65523U);
}

TEST_F(DnsZone, FillsTheSizeThatItMayUse) {
  fill(100);
  ask("billing.service.consul", kSrv, 4096);
  EXPECT_GT(bytes_.size(), 4096U - 150U) << "one more record would have fitted";
}

TEST(DnsQueryParser, SaysFormatErrorAndSurvivesEveryTruncation) {
  const auto whole = query("v4.billing.service.consul", kSrv, 4096);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    const auto parsed = parse_query({whole.data(), size});
    EXPECT_EQ(parsed.has_value(), size >= 12);
    if (!parsed) continue;
    EXPECT_TRUE(parsed->malformed);
    Catalogue empty;
    Random random(1);
    const auto bytes = encode(answer_query(empty, *parsed, {}, random));
    EXPECT_EQ(Decoded(bytes).rcode(), 1U);
  }
  const auto parsed = parse_query(whole);
  ASSERT_TRUE(parsed);
  EXPECT_FALSE(parsed->malformed);
  EXPECT_EQ(parsed->edns_size, 4096);
}

TEST(DnsQueryParser, IgnoresAnswersAndSurvivesNoise) {
  auto answer = query("a.consul", kA);
  answer[2] |= 0x80;
  EXPECT_FALSE(parse_query(answer));
  Random random(5);
  const auto whole = query("v4.billing.service.consul", kSrv, 4096);
  for (int i = 0; i < 20000; ++i) {
    auto noisy = whole;
    for (int j = 0; j < 3; ++j) {
      noisy[random.below(noisy.size())] = static_cast<std::uint8_t>(random.next());
    }
    const auto parsed = parse_query(noisy);
    if (!parsed) continue;
    Catalogue empty;
    const Decoded decoded(encode(answer_query(empty, *parsed, {}, random)));
    EXPECT_TRUE(decoded.answers.empty());
  }
}

}  // namespace
}  // namespace pilotfish::bench
