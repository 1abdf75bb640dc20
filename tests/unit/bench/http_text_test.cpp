#include "bench/harness/http_text.hpp"

#include <gtest/gtest.h>
#include <string>

namespace pilotfish::bench {
namespace {

TEST(HttpText, ReadsARequestWithABodyOnceItIsWhole) {
  const std::string text = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET";
  for (std::size_t size = 0; size < text.size() - 3; ++size) {
    EXPECT_FALSE(parse_request({text.data(), size}).complete);
  }
  const auto request = parse_request(text);
  EXPECT_TRUE(request.complete);
  EXPECT_EQ(request.size, text.size() - 3);
  EXPECT_FALSE(request.close);
}

TEST(HttpText, KnowsWhenTheConnectionEnds) {
  EXPECT_TRUE(parse_request("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n").close);
  EXPECT_TRUE(parse_request("GET / HTTP/1.0\r\n\r\n").close);
  EXPECT_FALSE(parse_request("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").close);
  EXPECT_TRUE(parse_request("HEAD / HTTP/1.1\r\n\r\n").head);
}

TEST(HttpText, ReadsAnAnswer) {
  const std::string text =
      "HTTP/1.1 200 OK\r\nContent-Length: 6\r\nX-Instance: v4 #3\r\nConnection: close\r\n\r\nv4 "
      "#3\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(parse_response({text.data(), size}).complete);
  }
  const auto answer = parse_response(text);
  EXPECT_TRUE(answer.complete);
  EXPECT_TRUE(answer.close);
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.instance, "v4 #3");
  EXPECT_EQ(answer.body, "v4 #3\n");
  EXPECT_EQ(answer.size, text.size());
}

TEST(HttpText, RefusesWhatItCannotFrame) {
  EXPECT_TRUE(parse_response("HTTP/1.1 200 OK\r\n\r\n").malformed);
  EXPECT_TRUE(parse_response("HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n").malformed);
  EXPECT_TRUE(parse_response("HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n").malformed);
  EXPECT_TRUE(parse_response("nonsense\r\n\r\n").malformed);
  EXPECT_TRUE(parse_request("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").malformed);
  EXPECT_TRUE(parse_request(std::string(70000, 'a')).malformed);
}

}  // namespace
}  // namespace pilotfish::bench
