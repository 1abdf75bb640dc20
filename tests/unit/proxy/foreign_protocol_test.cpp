#include "proxy/foreign_protocol.hpp"

#include <gtest/gtest.h>

namespace pilotfish::proxy {
namespace {

using namespace std::string_view_literals;

TEST(ForeignProtocol, IsKnownByItsFirstBytes) {
  EXPECT_EQ(foreign_protocol("\x16\x03\x01\x02\x00"sv), Foreign::kTls);
  EXPECT_EQ(foreign_protocol("\x15\x03\x03\x00\x02\x02\x28"sv), Foreign::kTls);
  EXPECT_EQ(foreign_protocol("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Foreign::kHttp2);
  for (const auto other : {""sv, "\x16"sv, "\x16\x03"sv, "\x16\x03\x05"sv, "\x17\x03\x01"sv,
                           "GET / HTTP/1.1\r\n"sv, "PRI * HTTP/2.0"sv, "PRI / HTTP/1.1\r\n"sv}) {
    EXPECT_EQ(foreign_protocol(other), Foreign::kNone) << other;
  }
}

TEST(ForeignProtocol, GetsFramesThatItsClientsUnderstand) {
  EXPECT_EQ(foreign_answer(Foreign::kTls), "\x15\x03\x01\x00\x02\x02\x28"sv);
  const auto answer = foreign_answer(Foreign::kHttp2);
  ASSERT_GT(answer.size(), 26U);
  EXPECT_EQ(answer.substr(0, 9), "\x00\x00\x00\x04\x00\x00\x00\x00\x00"sv);
  const auto size =
      static_cast<unsigned char>(answer[10]) * 256U + static_cast<unsigned char>(answer[11]);
  EXPECT_EQ(size, answer.size() - 18);
  EXPECT_EQ(answer[12], '\x07');
  EXPECT_EQ(answer.substr(22, 4), "\x00\x00\x00\x0d"sv);
  EXPECT_NE(answer.find("HTTP/1.1"), std::string::npos);
}

}  // namespace
}  // namespace pilotfish::proxy
