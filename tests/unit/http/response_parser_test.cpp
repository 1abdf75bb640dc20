#include <deque>
#include <gtest/gtest.h>
#include <string>

#include "http/h1_parser.hpp"
#include "http/head_scan.hpp"
#include "http/hop_by_hop.hpp"

namespace pilotfish::http {
namespace {

Refusal read(const std::string& text, ResponseHead& head, Method method = Method::kGet) {
  static std::deque<std::string> kept;  // heads are views into what they were read from
  const auto& bytes = kept.emplace_back(text);
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

TEST(ResponseParser, TakesConnectionWithParameters) {
  ResponseHead head;
  // Plain but for that, and of the kind that is left to Beast.
  for (const std::string more : {"", "A:\r\n", "B: \xc3\r\n"}) {
    const std::string rest = "Content-Length: 3\r\n" + more + "\r\n";
    ASSERT_EQ(read("HTTP/1.1 200 OK\r\nConnection: keep-alive; timeout=5\r\n" + rest, head),
              Refusal::kNone);
    EXPECT_TRUE(head.keep_alive);
    EXPECT_EQ(head.reason, "OK");
    EXPECT_EQ(head.fields[0].value, "keep-alive; timeout=5");
    EXPECT_EQ(head.find(Known::kContentLength)->value, "3");
    ASSERT_EQ(read("HTTP/1.0 200\r\nConnection: Keep-Alive;x=\"a\"\r\n" + rest, head),
              Refusal::kNone);
    EXPECT_TRUE(head.keep_alive);
    ASSERT_EQ(read("HTTP/1.2 200 OK\r\nConnection: close;a\r\n" + rest, head), Refusal::kNone);
    EXPECT_FALSE(head.keep_alive);
    EXPECT_EQ(head.version, Version::k11);
    // What cannot be read at all: the connection is not used again.
    ASSERT_EQ(read("HTTP/1.1 200 OK\r\nConnection: \"close\"\r\n" + rest, head), Refusal::kNone);
    EXPECT_FALSE(head.keep_alive);
  }
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nConnection: a;\x01\r\n\r\n", head), Refusal::kMalformed);
}

TEST(WasOffered, HoldsOnlyWhereEveryProtocolWas) {
  const auto switched = [](const std::string& offer, const std::string& answer) {
    const std::string asked =
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: " + offer + "\r\n\r\n";
    const std::string bytes = "HTTP/1.1 101 X\r\nConnection: upgrade\r\n" + answer + "\r\n";
    RequestHead request;
    ResponseHead head;
    EXPECT_EQ(parse_request(asked, request), Refusal::kNone);
    EXPECT_EQ(read(bytes, head), Refusal::kNone);
    return was_offered(request, head);
  };
  EXPECT_TRUE(switched("websocket", "Upgrade: websocket\r\n"));
  EXPECT_TRUE(switched("a/1, WebSocket", "Upgrade: websocket\r\n"));
  EXPECT_TRUE(switched("a, b", "Upgrade: a\r\nUpgrade: b\r\n"));
  EXPECT_FALSE(switched("websocket", "Upgrade: evil\r\n"));
  EXPECT_FALSE(switched("websocket", "Upgrade: websocket, evil\r\n"));
  EXPECT_FALSE(switched("websocket, h2c", "Upgrade: h2c\r\n"));
  EXPECT_FALSE(switched("websocket, h2c", "Upgrade: websocket, h2c\r\n"));
  EXPECT_FALSE(switched("a", "Upgrade: a/2\r\n"));
  EXPECT_FALSE(switched("a", ""));
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
