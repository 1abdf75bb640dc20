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

}  // namespace
}  // namespace pilotfish::proxy
