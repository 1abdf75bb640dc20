#include "app/plain_json.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>
#include <limits>

namespace pilotfish::app {
namespace {

namespace json = boost::json;

TEST(PlainJson, WritesNumbersAsPeopleDo) {
  EXPECT_EQ(plain_json(0.35), "0.35");
  EXPECT_EQ(plain_json(2.0), "2");
  EXPECT_EQ(plain_json(0.0004), "0");
  EXPECT_EQ(plain_json(-0.0001), "0");
  EXPECT_EQ(plain_json(1234567.891), "1234567.891");
  EXPECT_EQ(plain_json(100.0), "100");
  EXPECT_EQ(plain_json(1e300), "1000000000000000");
  EXPECT_EQ(plain_json(std::numeric_limits<double>::infinity()), "0");
  EXPECT_EQ(plain_json(std::numeric_limits<std::uint64_t>::max()), "18446744073709551615");
}

TEST(PlainJson, WritesAllElseAsTheLibraryDoes) {
  const char* text = R"({"a":[1,true,null,"x\"\n\u0001",{}],"b":{"c\"":[]},"d":-5})";
  EXPECT_EQ(plain_json(json::parse(text)), json::serialize(json::parse(text)));
}

}  // namespace
}  // namespace pilotfish::app
