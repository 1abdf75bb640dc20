#include "registry/consul_health_codec.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "registry/json.hpp"

namespace pilotfish::registry {
namespace {

std::string entry(const std::string& service, const std::string& checks = "[]") {
  return R"({"Node":{"Address":"10.0.0.1"},"Service":)" + service + R"(,"Checks":)" + checks + "}";
}

std::string check(const std::string& status, const std::string& id = "service:x") {
  return R"({"CheckID":")" + id + R"(","Status":")" + status + R"("})";
}

InstanceList instances_of(const std::string& body) {
  const auto listing = decode_health(body);
  EXPECT_TRUE(listing) << body;
  return listing ? listing->instances : InstanceList{};
}

TEST(HealthListing, KeepsNodeAndMetaBesideTheInstancesInTheirOrder) {
  const auto listing = decode_health(
      R"([{"Node":{"Node":"web-3","Address":"10.0.0.3"},"Service":{"Port":80,"Meta":{"b":"2","a":"1","n":5}}},)"
      R"({"Node":{"Node":"web-1","Address":"10.0.0.1"},"Service":{"Port":80,"Meta":null}},)"
      R"({"Node":{"Node":"twice","Address":"10.0.0.1"},"Service":{"Port":80}},)"
      R"({"Node":{"Node":"bad","Address":"host"},"Service":{"Port":80}}])");
  ASSERT_TRUE(listing);
  ASSERT_EQ(listing->details.size(), listing->instances.size());
  EXPECT_EQ(listing->details[0].endpoint, listing->instances[0].endpoint);
  EXPECT_EQ(listing->details[0].node, "twice") << "between equals the first by name";
  EXPECT_TRUE(listing->details[0].meta.empty());
  EXPECT_EQ(listing->details[1].node, "web-3");
  using Meta = std::vector<std::pair<std::string, std::string>>;
  EXPECT_EQ(listing->details[1].meta, (Meta{{"a", "1"}, {"b", "2"}}));
}

TEST(HealthListing, TakesTheServiceAddressAndElseTheNodes) {
  const auto found = instances_of("[" + entry(R"({"Address":"10.0.0.9","Port":80})") + "," +
                                  entry(R"({"Address":"","Port":81})") + "," +
                                  entry(R"({"Address":"::1","Port":82})") + "]");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].endpoint, Endpoint::parse("10.0.0.1:81"));
  EXPECT_EQ(found[1].endpoint, Endpoint::parse("10.0.0.9:80"));
  EXPECT_EQ(found[2].endpoint, Endpoint::parse("[::1]:82"));
  EXPECT_EQ(found[0].priority, 1U);
  EXPECT_EQ(found[0].weight, 1U);
}

TEST(HealthListing, WeighsByTheWorstStatus) {
  const std::string service = R"({"Port":80,"Weights":{"Passing":10,"Warning":3}})";
  EXPECT_EQ(instances_of("[" + entry(service, "[" + check("passing") + "]") + "]")[0].weight, 10U);
  EXPECT_EQ(
      instances_of("[" + entry(service, "[" + check("warning") + "," + check("passing") + "]") +
                   "]")[0]
          .weight,
      3U);
}

TEST(HealthListing, ExcludesCriticalMaintenanceAndUnknownStatus) {
  const std::string service = R"({"Port":80})";
  for (const auto& checks :
       {check("passing") + "," + check("critical"), check("critical", "_node_maintenance"),
        check("passing", "_service_maintenance:x"), check("odd"), std::string("null")}) {
    const auto listing = decode_health("[" + entry(service, "[" + checks + "]") + "]");
    ASSERT_TRUE(listing);
    EXPECT_TRUE(listing->instances.empty()) << checks;
    EXPECT_EQ(listing->excluded, 1U);
  }
}

TEST(HealthListing, ClampsWeights) {
  const auto weight = [](const std::string& value) {
    return instances_of("[" + entry(R"({"Port":80,"Weights":{"Passing":)" + value + "}}") + "]")[0]
        .weight;
  };
  EXPECT_EQ(weight("-5"), 0U);
  EXPECT_EQ(weight("0"), 0U);
  EXPECT_EQ(weight("70000"), 65535U);
  EXPECT_EQ(weight("1e300"), 1U);
  EXPECT_EQ(weight("99999999999999999999999"), 1U);
  EXPECT_EQ(weight("null"), 1U);
}

TEST(HealthListing, SkipsAndCountsWhatCannotBeAnInstance) {
  for (const auto* service :
       {R"({"Address":"1.2.3.4; DROP\r\nX: y","Port":80})",
        R"({"Address":"host.example","Port":0})", R"({"Address":"10.0.0.1","Port":0})",
        R"({"Address":"10.0.0.1","Port":65536})", R"({"Address":"10.0.0.1","Port":-1})",
        R"({"Address":"10.0.0.1","Port":"x"})", R"({"Address":"0.0.0.0","Port":80})",
        R"({"Address":"10.0.0.1"})", "null", "7"}) {
    const auto listing = decode_health("[" + entry(service) + "," + entry(R"({"Port":9})") + "]");
    ASSERT_TRUE(listing);
    EXPECT_EQ(listing->skipped, 1U) << service;
    EXPECT_EQ(listing->instances.size(), 1U);
  }
}

TEST(HealthListing, AnEmptyListIsAnAnswerAndGarbageIsNone) {
  ASSERT_TRUE(decode_health("[]"));
  EXPECT_TRUE(decode_health("[]")->instances.empty());
  for (const auto* bad : {"", "null", "{}", "[", "[{}", "404 page not found", "[]x"}) {
    EXPECT_FALSE(decode_health(bad)) << bad;
  }
}

TEST(HealthListing, RefusesDeepNestingAndHugeBodies) {
  EXPECT_FALSE(decode_health(std::string(100'000, '[') + std::string(100'000, ']')));
  EXPECT_FALSE(decode_health(std::string(kMaxJsonSize + 1, ' ')));
}

TEST(HealthListing, CountsAnEndpointOnceWithTheTagsOfAllAndTheHighestWeightInAnyOrder) {
  const auto one = entry(R"({"Port":80,"Tags":["v4","read"],"Weights":{"Passing":7}})");
  const auto other = entry(R"({"Port":80,"Tags":["v5","read"],"Weights":{"Passing":9}})");
  for (const auto& body : {"[" + one + "," + other + "]", "[" + other + "," + one + "]"}) {
    const auto found = instances_of(body);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].weight, 9U);
    EXPECT_EQ(found[0].tags, (std::vector<std::string>{"read", "v4", "v5"}));
  }
}

TEST(HealthListing, CountsHostNamesApart) {
  const auto listing = decode_health("[" + entry(R"({"Address":"db.example.com","Port":80})") +
                                     "," + entry(R"({"Port":9})") + "]");
  ASSERT_TRUE(listing);
  EXPECT_EQ(listing->named, 1U);
  EXPECT_EQ(listing->skipped, 0U);
  EXPECT_EQ(listing->instances.size(), 1U);
}

TEST(HealthListing, LeavesWarningOutWhereDnsDoes) {
  const auto body = "[" + entry(R"({"Port":1})", "[" + check("warning") + "]") + "," +
                    entry(R"({"Port":2})", "[" + check("passing") + "]") + "]";
  EXPECT_EQ(decode_health(body)->instances.size(), 2U);
  const auto strict = decode_health(body, kMaxJsonSize, true);
  ASSERT_EQ(strict->instances.size(), 1U);
  EXPECT_EQ(strict->instances[0].endpoint.port, 2);
  EXPECT_EQ(strict->excluded, 1U);
}

TEST(HealthListing, LosesOnlyWhatIsNotListedAtAll) {
  const auto known =
      instances_of("[" + entry(R"({"Port":1})") + "," + entry(R"({"Port":2})") + "]");
  const auto critical = entry(R"({"Port":2})", "[" + check("critical") + "]");
  const auto loses = [&known](const std::string& body) {
    return loses_any(known, *decode_health("[" + body + "]"));
  };
  EXPECT_TRUE(loses(""));
  EXPECT_TRUE(loses(entry(R"({"Port":1})")));
  EXPECT_TRUE(loses(entry(R"({"Port":1})") + "," + entry(R"({"Port":3})")));
  EXPECT_FALSE(loses(entry(R"({"Port":1})") + "," + critical)) << "said to be critical";
  EXPECT_FALSE(
      loses(entry(R"({"Port":3})") + "," + entry(R"({"Port":2})") + "," + entry(R"({"Port":1})")));
}

TEST(OnlyPassing, IsReadFromTheAgentsOwnConfiguration) {
  EXPECT_EQ(decode_only_passing(R"({"DebugConfig":{"DNSOnlyPassing":true}})"), true);
  EXPECT_EQ(decode_only_passing(R"({"DebugConfig":{"DNSOnlyPassing":false}})"), false);
  for (const auto* text : {"{}", "[]", "", R"({"DebugConfig":{"DNSOnlyPassing":"yes"}})",
                           R"({"DebugConfig":null})", "<html>"}) {
    EXPECT_FALSE(decode_only_passing(text)) << text;
  }
}

TEST(HasTags, NeedsAllOfThemInAnyCase) {
  EXPECT_TRUE(has_tags({"read", "v4"}, {"V4", "Read"}));
  EXPECT_TRUE(has_tags({"read"}, {}));
  EXPECT_FALSE(has_tags({"read", "v4"}, {"v4", "write"}));
  EXPECT_FALSE(has_tags({"v44"}, {"v4"}));
}

TEST(HealthListing, KeepsTheDetailOfTheEntryWhoseWeightItKeepsInAnyOrder) {
  const auto on = [](const std::string& node, const std::string& weight, const std::string& meta) {
    return R"({"Node":{"Node":")" + node + R"(","Address":"10.0.0.1"},"Service":{"Port":80,)" +
           R"("Weights":{"Passing":)" + weight + R"(},"Meta":{"stage":")" + meta + R"("}}})";
  };
  const std::vector<std::string> entries{on("a", "1", "old"), on("b", "9", "prod"),
                                         on("c", "9", "prod"), on("b", "9", "test")};
  std::vector<std::size_t> order{0, 1, 2, 3};
  do {
    std::string body;
    for (const auto place : order) {
      body += (body.empty() ? "[" : ",") + entries[place];
    }
    const auto listing = decode_health(body + "]");
    ASSERT_TRUE(listing);
    ASSERT_EQ(listing->details.size(), 1U);
    EXPECT_EQ(listing->instances[0].weight, 9U);
    EXPECT_EQ(listing->details[0].node, "b");
    EXPECT_EQ(listing->details[0].meta.at(0).second, "prod");
  } while (std::ranges::next_permutation(order).found);
}

}  // namespace
}  // namespace pilotfish::registry
