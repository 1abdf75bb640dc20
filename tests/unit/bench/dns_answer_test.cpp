#include "bench/harness/dns_answer.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bench/harness/dns_zone.hpp"
#include "bench/harness/sockets.hpp"
#include "tests/unit/bench/dns_decoder.hpp"

namespace pilotfish::bench {
namespace {

std::vector<std::uint8_t> answer_to(const std::vector<std::uint8_t>& question,
                                    std::uint16_t instances) {
  Catalogue catalogue;
  for (std::uint16_t port = 1; port <= instances; ++port) {
    CatalogueInstance instance;
    instance.endpoint = loopback(port);
    catalogue.add("bench", instance);
  }
  Random random(1);
  DnsZoneOptions options;
  options.shuffle = false;
  auto message = answer_query(catalogue, *parse_query(question), options, random);
  return encode_within(std::move(message), DnsTransport::kUdp, options.trim);
}

TEST(SrvQuestion, IsTheOneThatAClientWrites) {
  EXPECT_EQ(srv_question(0x1234, "_bench._tcp.service.consul", 0),
            testing_dns::query("_bench._tcp.service.consul", 33));
  EXPECT_EQ(srv_question(0x1234, "_bench._tcp.service.consul", 4096),
            testing_dns::query("_bench._tcp.service.consul", 33, 4096));
}

TEST(SrvAnswer, HasThePortsOfTheInstances) {
  const auto question = srv_question(7, "_bench._tcp.service.consul", 4096);
  const auto answer = parse_srv_answer(answer_to(question, 3));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->id, 7);
  EXPECT_EQ(answer->rcode, 0U);
  EXPECT_FALSE(answer->truncated);
  EXPECT_THAT(answer->ports, testing::ElementsAre(1, 2, 3));
}

TEST(SrvAnswer, TellsNameErrorsAndTruncation) {
  const auto question = srv_question(7, "_bench._tcp.service.consul", 0);
  EXPECT_EQ(parse_srv_answer(answer_to(question, 0))->rcode, 3U);
  const auto large = parse_srv_answer(answer_to(question, 100));
  ASSERT_TRUE(large);
  EXPECT_TRUE(large->truncated);
  EXPECT_LT(large->ports.size(), 100U);
}

TEST(SrvAnswer, HalfOfOneIsNone) {
  const auto bytes = answer_to(srv_question(7, "_bench._tcp.service.consul", 4096), 3);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const auto half = parse_srv_answer(std::span(bytes).first(size));
    EXPECT_TRUE(!half || half->ports.size() == 3) << size << " bytes";
  }
  EXPECT_FALSE(parse_srv_answer(srv_question(7, "bench", 0))) << "a question is no answer";
}

}  // namespace
}  // namespace pilotfish::bench
