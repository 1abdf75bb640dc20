#include <gtest/gtest.h>
#include <string>

#include "http/h1_parser.hpp"
#include "http/head_scan.hpp"

namespace pilotfish::http {
namespace {

Refusal read(const std::string& bytes, ResponseHead& head, Method method = Method::kGet) {
  HeadScan scan;
  if (scan.scan(bytes) != HeadScan::State::kFound) {
    return Refusal::kMalformed;
  }
  return parse_response(std::string_view(bytes).substr(0, scan.length()), method, head);
}

TEST(ResponseParser, DigestsFramingByStatusAndMethod) {
  ResponseHead head;
  ASSERT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kLength);
  ASSERT_EQ(read("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", head, Method::kHead),
            Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kNone);
  ASSERT_EQ(read("HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kNone);
  ASSERT_EQ(read("HTTP/1.1 204 No Content\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(read("HTTP/1.1 200 OK\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kUntilClose);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(read("HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kChunked);
}

TEST(ResponseParser, TakesAStatusLineThatEndsWithItsCode) {
  ResponseHead head;
  const std::string bytes = "HTTP/1.1 404\r\nContent-Length: 3\r\nA: b\r\n\r\n";
  ASSERT_EQ(read(bytes, head), Refusal::kNone);
  EXPECT_EQ(head.status, 404);
  EXPECT_EQ(head.reason, "");
  EXPECT_EQ(head.length, 3U);
  EXPECT_EQ(head.fields.size(), 2U);
  ASSERT_EQ(read("HTTP/1.0 200\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.version, Version::k10);
  for (const std::string line : {"HTTP/1.1 20", "HTTP/1.1 2000", "HTTP/1.1  20", "HTTP/1.1\t200",
                                 "HTTP/1.1-200", "XTTP/1.1 200", "HTTP/1.1 2x0", "HTTP/2.0 200"}) {
    EXPECT_EQ(read(line + "\r\nContent-Length: 3\r\n\r\n", head), Refusal::kMalformed) << line;
  }
}

TEST(ResponseParser, RefusesWhatIsNoAnswer) {
  ResponseHead head;
  for (const std::string bytes :
       {"HTTP/1.1 99 x\r\n\r\n", "HTTP/1.1 1000 x\r\n\r\n", "HTTP/1.1 -20 x\r\n\r\n",
        "HTTP/1.1 abc x\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "ICY 200 OK\r\n\r\n", "<html>\r\n\r\n",
        "HTTP/1.1 600 x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551618\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "HTTP/1.1 200 OK\nA: b\r\n\r\n"}) {
    EXPECT_EQ(read(bytes, head), Refusal::kMalformed) << bytes;
  }
  EXPECT_EQ(read(std::string("HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", 25), head), Refusal::kMalformed);
}

}  // namespace
}  // namespace pilotfish::http
