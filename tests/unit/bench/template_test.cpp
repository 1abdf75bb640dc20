#include "bench/harness/template.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using testing::HasSubstr;

Endpoint at(std::uint16_t port) {
  return {IpAddress::v4({127, 0, 0, 1}), port};
}

std::map<std::string, std::string> variables() {
  std::map<std::string, std::string> result{{"config", "/tmp/x.cfg"}};
  add_address(result, "listen", at(8080));
  return result;
}

TEST(Template, ReplacesEveryPlaceholder) {
  EXPECT_EQ(expand("bind {listen} of {listen_host}, {listen_port}: {config}", variables()),
            "bind 127.0.0.1:8080 of 127.0.0.1, 8080: /tmp/x.cfg");
}

TEST(Template, RepeatsTheLineForEachInstance) {
  EXPECT_EQ(expand("before\n  server s{instance_number} {instance}\nafter {listen_port}\n",
                   variables(), {at(1001), at(1002)}),
            "before\n  server s1 127.0.0.1:1001\n  server s2 127.0.0.1:1002\nafter 8080\n");
  EXPECT_EQ(expand("{address: {instance_host}, port: {instance_port}}\n", variables(), {at(1003)}),
            "{address: 127.0.0.1, port: 1003}\n");
}

TEST(Template, LeavesTheLineOutWhereThereIsNoInstance) {
  EXPECT_EQ(expand("a\nserver {instance}\nb\n", variables()), "a\nb\n");
}

TEST(Template, LeavesOtherBracesAlone) {
  const std::string text = "http { server { location / {} } } {0} {Upper} { listen } ${x1} {";
  EXPECT_EQ(expand(text, variables()), text);
}

TEST(Template, AWordThatNobodyKnowsIsAnErrorThatNamesTheKnownOnes) {
  try {
    static_cast<void>(expand("bind {listne}", variables()));
    FAIL() << "it was taken";
  } catch (const WrongTemplate& error) {
    EXPECT_THAT(error.what(), HasSubstr("{listne}"));
    EXPECT_THAT(error.what(), HasSubstr("{listen}"));
    EXPECT_THAT(error.what(), HasSubstr("{instance_port}"));
  }
}

}  // namespace
}  // namespace pilotfish::bench
