#include "bench/lab/registry_words.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pilotfish::bench {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

TEST(RegistryWords, AddChangeListAndRemove) {
  Catalogue catalogue;
  EXPECT_EQ(obey(catalogue, "add billing 127.0.0.1:9001 v4 read"), "ok");
  EXPECT_EQ(catalogue.healthy("billing", "read").size(), 1U);
  EXPECT_EQ(obey(catalogue, "critical billing 127.0.0.1:9001"), "ok");
  EXPECT_EQ(obey(catalogue, "list"), "billing 127.0.0.1:9001 critical v4 read");
  EXPECT_TRUE(catalogue.healthy("billing").empty());
  EXPECT_EQ(obey(catalogue, " warning  billing 127.0.0.1:9001 "), "ok");
  EXPECT_EQ(obey(catalogue, "remove billing 127.0.0.1:9001"), "ok");
  EXPECT_EQ(obey(catalogue, "list"), "nothing is registered");
}

TEST(RegistryWords, SaysWhatItDoesNotUnderstand) {
  Catalogue catalogue;
  EXPECT_EQ(obey(catalogue, ""), "");
  EXPECT_THAT(obey(catalogue, "delete billing 127.0.0.1:1"), StartsWith("error: \"delete\""));
  EXPECT_THAT(obey(catalogue, "add billing localhost:1"), StartsWith("error: add SERVICE"));
  EXPECT_THAT(obey(catalogue, "remove billing 127.0.0.1:1"), HasSubstr("no instance 127.0.0.1:1"));
  EXPECT_EQ(catalogue.version(), 0U);
}

TEST(RegistryWords, ReadsAFile) {
  Catalogue catalogue;
  EXPECT_EQ(
      load_catalogue(catalogue, R"({"billing":[{"address":"127.0.0.1:1"},{"address":"[::1]:2",)"
                                R"("tags":["v4"],"weight":7,"warning_weight":3,"priority":2,)"
                                R"("status":"warning"}],"_web._tcp.prom.local":[]})"),
      "");
  const auto tagged = catalogue.healthy("billing", "v4");
  ASSERT_EQ(tagged.size(), 1U);
  EXPECT_EQ(tagged[0].weight(), 3);
  EXPECT_EQ(tagged[0].priority, 2);
  EXPECT_EQ(catalogue.all("billing").size(), 2U);
}

TEST(RegistryWords, SaysWhatIsWrongWithAFile) {
  const auto wrong = [](const char* text) {
    Catalogue catalogue;
    return load_catalogue(catalogue, text);
  };
  EXPECT_THAT(wrong("{"), StartsWith("not JSON"));
  EXPECT_THAT(wrong("[]"), HasSubstr("object of services"));
  EXPECT_THAT(wrong(R"({"a":3})"), HasSubstr("a: not a list"));
  EXPECT_THAT(wrong(R"({"a":[{"address":"b:1"}]})"), HasSubstr("address"));
  EXPECT_THAT(wrong(R"({"a":[{"address":"1.1.1.1:1","weight":70000}]})"), HasSubstr("65535"));
  EXPECT_THAT(wrong(R"({"a":[{"address":"1.1.1.1:1","status":"fine"}]})"), HasSubstr("status"));
}

}  // namespace
}  // namespace pilotfish::bench
