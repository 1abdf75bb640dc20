#include "http/http_date.hpp"

#include <ctime>
#include <gtest/gtest.h>
#include <string>

namespace pilotfish::http {
namespace {

TEST(HttpDate, IsWhatTheCLibraryMakesOfTheSecond) {
  HttpDate date;
  for (const std::int64_t seconds : {0LL, 951782399LL, 951782400LL, 784111777LL, 1795284000LL,
                                     4102444799LL, 1795284001LL, 1795284000LL}) {
    const std::time_t time = seconds;
    std::tm parts{};
    ::gmtime_r(&time, &parts);
    std::array<char, 64> expected{};
    (void)std::strftime(expected.data(), expected.size(), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    EXPECT_EQ(date.text(seconds), std::string(expected.data()));
  }
  EXPECT_EQ(date.text(784111777), "Sun, 06 Nov 1994 08:49:37 GMT");
}

}  // namespace
}  // namespace pilotfish::http
