#include "registry/etcd_codec.hpp"

#include <gtest/gtest.h>

#include "registry/json.hpp"
#include "registry/text.hpp"

namespace pilotfish::registry::etcd {
namespace {

using namespace std::chrono_literals;

TEST(EtcdCodec, GrantsWholeSecondsRoundedUp) {
  EXPECT_EQ(text_of(*parse_json(encode_grant(30s)), "TTL"), "30");
  EXPECT_EQ(text_of(*parse_json(encode_grant(1500ms)), "TTL"), "2");
  EXPECT_EQ(text_of(*parse_json(encode_grant(1ms)), "TTL"), "1");
}

TEST(EtcdCodec, PutsKeyAndValueInBase64WithTheLeaseAsText) {
  const auto body = parse_json(encode_put("/skydns/a", "{}", 7587000000000000001));
  ASSERT_TRUE(body);
  EXPECT_EQ(base64_decode(text_of(*body, "key")), "/skydns/a");
  EXPECT_EQ(base64_decode(text_of(*body, "value")), "{}");
  EXPECT_EQ(text_of(*body, "lease"), "7587000000000000001");
  EXPECT_EQ(member(*parse_json(encode_put("a", "b", 0)), "lease"), nullptr);
  EXPECT_EQ(text_of(*parse_json(encode_lease(42)), "ID"), "42");
}

TEST(EtcdCodec, ReadsAGrant) {
  const auto lease =
      decode_grant(R"({"header":{"revision":"1"},"ID":"7587000000000000001","TTL":"30"})");
  ASSERT_TRUE(lease);
  EXPECT_EQ(lease->id, 7587000000000000001);
  EXPECT_EQ(lease->ttl, 30s);
  for (const auto* bad :
       {"", "{}", R"({"ID":"1"})", R"({"ID":"0","TTL":"3"})", R"({"ID":"1","TTL":"-3"})",
        R"({"ID":"99999999999999999999","TTL":"3"})", R"({"error":"no leader","code":14})"}) {
    EXPECT_FALSE(decode_grant(bad)) << bad;
  }
}

TEST(EtcdCodec, BoundsAnAbsurdLease) {
  const auto lease = decode_grant(R"({"ID":"1","TTL":"9223372036854775807"})");
  ASSERT_TRUE(lease);
  EXPECT_GT(lease->ttl, 24h);
  EXPECT_LT(lease->ttl, 24h * 400);
}

TEST(EtcdCodec, AKeepAliveWithoutTtlMeansThatTheLeaseIsGone) {
  EXPECT_EQ(decode_keepalive("{\"result\":{\"ID\":\"1\",\"TTL\":\"30\"}}\n"), 30s);
  EXPECT_EQ(decode_keepalive("{\"result\":{\"ID\":\"1\",\"TTL\":\"30\"}}\n{\"result\":{}}\n"), 30s);
  EXPECT_EQ(decode_keepalive(R"({"result":{"ID":"1"}})"), Duration::zero());
  EXPECT_EQ(decode_keepalive(R"({"result":{"ID":"1","TTL":"0"}})"), Duration::zero());
  for (const auto* bad : {"", "{}", R"({"result":7})", R"({"result":{"TTL":"x"}})", "\n"}) {
    EXPECT_FALSE(decode_keepalive(bad)) << bad;
  }
}

TEST(EtcdCodec, ReadsARange) {
  const auto records = decode_range(R"({"header":{},"kvs":[{"key":"YQ==","value":"Yg==",)"
                                    R"("lease":"7"},{"key":"!","value":"Yg=="}],"count":"2"})");
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), 1U);
  EXPECT_EQ(records->front().key, "a");
  EXPECT_EQ(records->front().value, "b");
  EXPECT_EQ(records->front().lease, 7);
  ASSERT_TRUE(decode_range(R"({"header":{"revision":"1"}})"));
  EXPECT_TRUE(decode_range(R"({"header":{"revision":"1"}})")->empty());
  EXPECT_FALSE(decode_range("{}"));
  EXPECT_FALSE(decode_range("garbage"));
}

TEST(EtcdCodec, KnowsALostLeaseAndReadsErrors) {
  const std::string gone =
      R"({"error":"etcdserver: requested lease not found","code":5,"message":"x"})";
  EXPECT_TRUE(is_lease_gone(404, gone));
  EXPECT_FALSE(is_lease_gone(200, gone));
  EXPECT_FALSE(is_lease_gone(404, "Not Found"));
  EXPECT_EQ(error_text(gone), "x");
  EXPECT_EQ(error_text(R"({"error":"no leader"})"), "no leader");
  EXPECT_EQ(error_text("Not Found\n"), "Not Found");
}

}  // namespace
}  // namespace pilotfish::registry::etcd
