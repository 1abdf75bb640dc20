#include "http/h1_writer.hpp"

#include <gtest/gtest.h>
#include <string>

#include "http/h1_parser.hpp"

namespace pilotfish::http {
namespace {

std::string rewrite(const std::string& bytes) {
  RequestHead head;
  EXPECT_EQ(parse_request(bytes, head), Refusal::kNone) << bytes;
  std::string out;
  write_request(head, {.client_address = "10.1.1.1", .fallback_host = "billing"}, out);
  return out;
}

TEST(RequestWriter, AddsViaAndForwardedForAndKeepsTheRest) {
  EXPECT_EQ(rewrite("GET /x HTTP/1.1\r\nHost: a\r\nX-A:  b \r\n\r\n"),
            "GET /x HTTP/1.1\r\nHost: a\r\nX-A: b\r\nX-Forwarded-For: 10.1.1.1\r\n"
            "Via: 1.1 pilotfish\r\n\r\n");
}

TEST(RequestWriter, JoinsForwardedForIntoOneField) {
  const auto out = rewrite(
      "GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\r\nA: b\r\nx-forwarded-for: "
      "2.2.2.2\r\n"
      "\r\n");
  EXPECT_NE(out.find("X-Forwarded-For: 1.1.1.1, 2.2.2.2, 10.1.1.1\r\n"), std::string::npos) << out;
  EXPECT_EQ(out.find("x-forwarded-for"), std::string::npos);
}

TEST(RequestWriter, RemovesHopByHopFieldsAndWhatConnectionNames) {
  const auto out = rewrite(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop, Host, Content-Length\r\nX-Hop: 1\r\n"
      "Keep-Alive: 5\r\nProxy-Connection: x\r\nTE: gzip\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n"
      "Content-Length: 0\r\n\r\n");
  EXPECT_EQ(out,
            "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\nX-Forwarded-For: 10.1.1.1\r\n"
            "Via: 1.1 pilotfish\r\n\r\n");
}

TEST(RequestWriter, PassesUpgradesWithoutH2c) {
  const auto out = rewrite(
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n");
  EXPECT_NE(out.find("Connection: upgrade\r\nUpgrade: websocket\r\n"), std::string::npos) << out;
}

TEST(RequestWriter, GivesOldRequestsAHostAndAbsoluteOnesTheirAuthority) {
  EXPECT_NE(rewrite("GET / HTTP/1.0\r\n\r\n").find("Host: billing\r\n"), std::string::npos);
  const auto out = rewrite("GET http://b/x HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(out.find("Host: a"), std::string::npos);
  EXPECT_EQ(out.substr(0, 30), "GET /x HTTP/1.1\r\nHost: b\r\nX-Fo");
}

std::string rewrite_answer(const std::string& bytes, const ResponseRewrite& how) {
  ResponseHead head;
  EXPECT_EQ(parse_response(bytes, Method::kGet, head), Refusal::kNone) << bytes;
  std::string out;
  write_response(head, how, out);
  return out;
}

TEST(ResponseWriter, WritesFramingAnew) {
  EXPECT_EQ(
      rewrite_answer("HTTP/1.0 200 Fine\r\nConnection: close\r\nX: 1\r\n\r\n",
                     {.framing = Framing::kChunked}),
      "HTTP/1.1 200 Fine\r\nX: 1\r\nVia: 1.1 pilotfish\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(
      rewrite_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
                     {.framing = Framing::kLength, .close = true}),
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 pilotfish\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(rewrite_answer("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", {}),
            "HTTP/1.1 204 No\r\nVia: 1.1 pilotfish\r\n\r\n");
}

TEST(OwnAnswer, CarriesProxyStatusAndAText) {
  std::string out;
  write_own_answer({.status = 503,
                    .error = "destination_unavailable",
                    .text = "no instance",
                    .close = false,
                    .retry_after = 1},
                   out);
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n"
            "Proxy-Status: pilotfish; error=destination_unavailable\r\nRetry-After: 1\r\n\r\n"
            "no instance\n");
}

}  // namespace
}  // namespace pilotfish::http
