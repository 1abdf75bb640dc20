#include "registry/consul_codec.hpp"

#include <gtest/gtest.h>

#include "registry/json.hpp"

namespace pilotfish::registry {
namespace {

Announcement py_test() {
  Announcement announcement;
  announcement.name = "pyTest";
  announcement.port = 5000;
  announcement.address = "10.0.0.7";
  announcement.tags = {"v3", "read"};
  announcement.meta = {{"version", "3.2"}};
  announcement.weights = {10, 1};
  announcement.check.kind = CheckKind::kHttp;
  announcement.check.target = "http://127.0.0.1:5000/_checker";
  announcement.check.deregister_after = 1min;
  return announcement;
}

/// What the agent answers of `service`, in the words of Consul 1.21.
std::string described(std::string_view tags = R"(["read","v3"])", std::string_view type = "http") {
  return R"({"AggregatedStatus":"critical","Checks":[{"Node":"n","CheckID":)"
         R"("service:pyTest-10.0.0.7-5000","Name":"x","Status":"critical","Type":")" +
         std::string(type) +
         R"("}],"Service":{"ID":"pyTest-10.0.0.7-5000","Service":"pyTest","Tags":)" +
         std::string(tags) +
         R"(,"Meta":{"version":"3.2"},"Port":5000,"Address":"10.0.0.7",)"
         R"("Weights":{"Passing":10,"Warning":1},"EnableTagOverride":false}})";
}

TEST(ConsulRegistration, SaysEverythingTheEntrySays) {
  const auto service = consul_service(py_test(), "ignored");
  const auto body = parse_json(encode_registration(service, {}, false));
  const auto expected = parse_json(R"({"ID":"pyTest-10.0.0.7-5000","Name":"pyTest","Port":5000,
      "Address":"10.0.0.7","Tags":["v3","read"],"Meta":{"version":"3.2"},
      "Weights":{"Passing":10,"Warning":1},
      "Check":{"CheckID":"service:pyTest-10.0.0.7-5000","Name":"Service 'pyTest' check",
               "HTTP":"http://127.0.0.1:5000/_checker","Interval":"10s","Timeout":"1s",
               "DeregisterCriticalServiceAfter":"60s"}})");
  ASSERT_TRUE(body && expected);
  EXPECT_EQ(*body, *expected);
}

TEST(ConsulRegistration, LeavesTheAddressToTheAgentButPutsItIntoTheId) {
  auto announcement = py_test();
  announcement.address.clear();
  const auto service = consul_service(announcement, "10.9.9.9");
  EXPECT_EQ(service.id, "pyTest-10.9.9.9-5000");
  EXPECT_EQ(encode_registration(service, {}, false).find("Address"), std::string::npos);
}

TEST(ConsulRegistration, WritesTcpAndTtlChecks) {
  auto announcement = py_test();
  announcement.check = CheckOptions{};
  announcement.check.kind = CheckKind::kTtl;
  announcement.check.ttl = 15s;
  auto body = parse_json(encode_registration(consul_service(announcement, ""), {}, false));
  EXPECT_EQ(body->at("Check").at("TTL"), "15s");
  EXPECT_EQ(member(body->at("Check"), "Interval"), nullptr);
  EXPECT_EQ(member(body->at("Check"), "DeregisterCriticalServiceAfter"), nullptr);
  announcement.check.kind = CheckKind::kTcp;
  announcement.check.target = "127.0.0.1:5000";
  body = parse_json(encode_registration(consul_service(announcement, ""), {}, false));
  EXPECT_EQ(body->at("Check").at("TCP"), "127.0.0.1:5000");
  announcement.check.kind = CheckKind::kNone;
  body = parse_json(encode_registration(consul_service(announcement, ""), {}, false));
  EXPECT_EQ(member(*body, "Check"), nullptr);
}

TEST(ConsulRegistration, EscapesWhatPeopleWrite) {
  auto announcement = py_test();
  announcement.tags = {"a\"b", "c\\d\n"};
  const auto body = parse_json(encode_registration(consul_service(announcement, ""), {}, false));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->at("Tags").at(0), "a\"b");
  EXPECT_EQ(body->at("Tags").at(1), "c\\d\n");
}

TEST(ConsulRegistration, HasTheMarkOfItsProcessAndTheStatusItBeginsWith) {
  const auto service = consul_service(py_test(), "");
  const auto body = parse_json(encode_registration(service, "0123456789abcdef", true));
  ASSERT_TRUE(body);
  EXPECT_EQ(body->at("Meta").at("pilotfish-owner"), "0123456789abcdef");
  EXPECT_EQ(body->at("Meta").at("version"), "3.2");
  EXPECT_EQ(body->at("Check").at("Status"), "passing");
}

TEST(ConsulRegistration, TheMarksKeyIsNotForPeople) {
  auto announcement = py_test();
  announcement.meta["pilotfish-owner"] = "me";
  EXPECT_FALSE(consul_service(announcement, "").meta.contains("pilotfish-owner"));
}

TEST(AgentHealth, AMarkAloneIsNoDifference) {
  auto text = described();
  text.replace(text.find(R"("version")"), 0, R"("pilotfish-owner":"0123456789abcdef",)");
  const auto known = decode_agent_health(text);
  ASSERT_TRUE(known);
  EXPECT_EQ(known->owner, "0123456789abcdef");
  EXPECT_EQ(difference(consul_service(py_test(), ""), *known), "");
}

TEST(AgentHealth, IsCriticalByItsOwnCheckAlone) {
  auto known = *decode_agent_health(described());
  const auto check = consul_service(py_test(), "").check_id();
  EXPECT_TRUE(known.critical(check));
  known.checks[check].status = "warning";
  known.checks["_service_maintenance:pyTest-10.0.0.7-5000"] = {"maintenance", "critical"};
  EXPECT_FALSE(known.critical(check)) << "maintenance is no failure of the application";
}

TEST(AgentHealth, EqualsWhatWasRegisteredWhateverTheOrderOfTags) {
  const auto known = decode_agent_health(described());
  ASSERT_TRUE(known);
  EXPECT_EQ(difference(consul_service(py_test(), ""), *known), "");
}

TEST(AgentHealth, NamesWhatDiffers) {
  const auto wanted = consul_service(py_test(), "");
  EXPECT_EQ(difference(wanted, *decode_agent_health(described("null"))), "tags");
  EXPECT_EQ(difference(wanted, *decode_agent_health(described("[\"v4\"]", "ttl"))), "tags, check");
  auto known = *decode_agent_health(described());
  known.checks.clear();
  known.port = 1;
  known.address = "";
  known.meta.clear();
  known.weights = Weights{};
  EXPECT_EQ(difference(wanted, known), "address, port, meta, weights, check");
}

TEST(AgentHealth, IsNothingWhereNoServiceIsDescribed) {
  for (const auto* bad : {"", "null", "[]", "{}", R"({"Service":null})", R"({"Service":{}})",
                          R"({"Service":{"ID":7}})", "<html>", R"({"Service":{"ID":"a"})"}) {
    EXPECT_FALSE(decode_agent_health(bad)) << bad;
  }
}

TEST(AgentHealth, SurvivesFieldsOfOtherTypes) {
  const auto known = decode_agent_health(
      R"({"Service":{"ID":"a","Tags":[1,"x",{}],"Meta":{"k":1},"Port":"80","Weights":7},)"
      R"("Checks":[null,3]})");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->tags, std::vector<std::string>{"x"});
  EXPECT_EQ(known->port, 80);
}

TEST(AgentSelf, TellsTheAdvertisedAddress) {
  EXPECT_EQ(decode_member_address(R"({"Config":{},"Member":{"Addr":"10.0.0.5"}})"), "10.0.0.5");
  EXPECT_FALSE(decode_member_address(R"({"Member":{}})"));
  EXPECT_FALSE(decode_member_address("nonsense"));
}

}  // namespace
}  // namespace pilotfish::registry
