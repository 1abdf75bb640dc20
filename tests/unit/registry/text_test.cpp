#include "registry/text.hpp"

#include <gtest/gtest.h>

namespace pilotfish::registry {
namespace {

using namespace std::chrono_literals;

TEST(Base64, EncodesTheVectorsOfRfc4648) {
  EXPECT_EQ(base64_encode(""), "");
  EXPECT_EQ(base64_encode("f"), "Zg==");
  EXPECT_EQ(base64_encode("fo"), "Zm8=");
  EXPECT_EQ(base64_encode("foo"), "Zm9v");
  EXPECT_EQ(base64_encode("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64_encode("\xff\xfe"), "//4=");
}

TEST(Base64, DecodesWhatItEncoded) {
  std::string every;
  for (int octet = 0; octet < 256; ++octet) {
    every += static_cast<char>(octet);
    EXPECT_EQ(base64_decode(base64_encode(every)), every);
  }
}

TEST(Base64, RefusesWhatIsNotWholeBase64) {
  for (const auto* bad : {"A", "AA", "AAA", "A===", "AA=A", "====", "AA\n=", "A-_A", "Zg==Zg=="}) {
    EXPECT_FALSE(base64_decode(bad)) << bad;
  }
}

TEST(PercentEncode, KeepsPlainCharactersAndEscapesTheRest) {
  EXPECT_EQ(percent_encode("web-127.0.0.1-5000_~"), "web-127.0.0.1-5000_~");
  EXPECT_EQ(percent_encode("service:web-::1-80"), "service:web-::1-80");
  EXPECT_EQ(percent_encode("a b/c?d&e%\r\n"), "a%20b%2Fc%3Fd%26e%25%0D%0A");
}

TEST(GoDuration, UsesTheLargestWholeUnit) {
  EXPECT_EQ(go_duration(10s), "10s");
  EXPECT_EQ(go_duration(1min), "60s");
  EXPECT_EQ(go_duration(250ms), "250ms");
  EXPECT_EQ(go_duration(1500us), "1500us");
}

TEST(Shorten, MakesOneLineOfAtMostTwoHundredCharacters) {
  EXPECT_EQ(shorten("Permission denied\r\n"), "Permission denied");
  EXPECT_EQ(shorten("a\nb"), "a b");
  EXPECT_EQ(shorten("\n\n"), "");
  EXPECT_EQ(shorten(std::string(500, 'x')), std::string(200, 'x') + "...");
}

TEST(ServiceId, JoinsNameAddressAndPort) {
  EXPECT_EQ(service_id("web", "127.0.0.1", 5000), "web-127.0.0.1-5000");
}

}  // namespace
}  // namespace pilotfish::registry
