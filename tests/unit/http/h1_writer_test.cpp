#include "http/h1_writer.hpp"

#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

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
      "HTTP/1.1 200 Fine\r\nX: 1\r\nVia: 1.0 pilotfish\r\nTransfer-Encoding: chunked\r\n\r\n");
  EXPECT_EQ(
      rewrite_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n",
                     {.framing = Framing::kLength, .close = true}),
      "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nVia: 1.1 pilotfish\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(rewrite_answer("HTTP/1.1 204 No\r\nContent-Length: 2\r\n\r\n", {}),
            "HTTP/1.1 204 No\r\nVia: 1.1 pilotfish\r\n\r\n");
}

TEST(RequestWriter, SaysInViaWhatVersionTheMessageCameIn) {
  EXPECT_NE(rewrite("GET / HTTP/1.0\r\n\r\n").find("Via: 1.0 pilotfish\r\n"), std::string::npos);
  EXPECT_NE(rewrite("GET / HTTP/1.2\r\nHost: a\r\n\r\n").find("Via: 1.1 pilotfish\r\n"),
            std::string::npos);
}

TEST(RequestWriter, CountsMaxForwardsDownForTraceAndOptionsAlone) {
  const std::string rest = " HTTP/1.1\r\nHost: a\r\nMax-Forwards: ";
  for (const auto& [before, after] : std::vector<std::pair<std::string, std::string>>{
           {"5", "4"}, {"1", "0"}, {"00010", "9"}, {"99999999999999999999", "4294967294"}}) {
    for (const std::string method : {"TRACE /", "OPTIONS *"}) {
      const auto out = rewrite(method + rest + before + "\r\n\r\n");
      EXPECT_NE(out.find("\r\nMax-Forwards: " + after + "\r\n"), std::string::npos) << out;
    }
    const auto out = rewrite("GET /" + rest + before + "\r\n\r\n");
    EXPECT_NE(out.find("\r\nMax-Forwards: " + before + "\r\n"), std::string::npos) << out;
  }
}

TEST(RequestWriter, LeavesOutWhatAnnouncesTrailers) {
  EXPECT_EQ(rewrite("GET / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n\r\n").find("Trailer"),
            std::string::npos);
}

TEST(RequestWriter, GivesATargetWithoutAPathOne) {
  EXPECT_TRUE(rewrite("GET http://b?x=1 HTTP/1.1\r\nHost:\r\n\r\n")
                  .starts_with("GET /?x=1 HTTP/1.1\r\nHost: b\r\n"));
}

TEST(ResponseWriter, AddsADateWhereAFinalAnswerHasNone) {
  const ResponseRewrite how{.framing = Framing::kLength, .date = "Sat, 21 Nov 2026 18:00:00 GMT"};
  EXPECT_EQ(rewrite_answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n", how),
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: Sat, 21 Nov 2026 18:00:00 GMT\r\n"
            "Via: 1.1 pilotfish\r\n\r\n");
  const std::string own = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDATE: then\r\n";
  EXPECT_EQ(rewrite_answer(own + "\r\n", how), own + "Via: 1.1 pilotfish\r\n\r\n");
  EXPECT_EQ(rewrite_answer("HTTP/1.1 103 Hints\r\n\r\n", how),
            "HTTP/1.1 103 Hints\r\nVia: 1.1 pilotfish\r\n\r\n");
}

TEST(ResponseWriter, KeepsWhatAnUpgradeIsRequiredTo) {
  const std::string bytes =
      "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n"
      "Content-Length: 0\r\n\r\n";
  EXPECT_NE(rewrite_answer(bytes, {.framing = Framing::kLength, .close = true})
                .find("Connection: upgrade, close\r\nUpgrade: TLS/1.2, HTTP/1.1\r\n"),
            std::string::npos);
  EXPECT_EQ(rewrite_answer("HTTP/1.1 200 OK\r\nUpgrade: x\r\nContent-Length: 0\r\n\r\n",
                           {.framing = Framing::kLength})
                .find("Upgrade"),
            std::string::npos);
}

TEST(Trailers, PassWithoutWhatEndsAtThisHop) {
  ResponseHead head;
  const std::string bytes =
      "HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nTransfer-Encoding: chunked\r\n\r\n";
  ASSERT_EQ(parse_response(bytes, Method::kGet, head), Refusal::kNone);
  std::string names;
  HopByHop::names(head, names);
  std::vector<Field> fields;
  ASSERT_TRUE(parse_trailers(
      "X-Sum: 1\r\nx-hop: 2\r\nConnection: X-Sum\r\nKeep-Alive: 3\r\nUpgrade: h\r\n\r\n", fields));
  std::string out;
  write_trailers(fields, HopByHop(names), out);
  EXPECT_EQ(out, "X-Sum: 1\r\n\r\n");
}

TEST(OwnAnswer, TellsAnOldClientThatItStays) {
  std::string out;
  EXPECT_EQ(write_own_answer({.status = 503,
                              .error = "x",
                              .text = "y",
                              .close = false,
                              .client_is_10 = true,
                              .head_only = true,
                              .date = "now"},
                             out),
            0U);
  EXPECT_EQ(out,
            "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n"
            "Date: now\r\nProxy-Status: pilotfish; error=x\r\nConnection: keep-alive\r\n\r\n");
}

TEST(OwnAnswer, ReflectsATraceWithoutItsSecrets) {
  RequestHead head;
  const std::string bytes =
      "TRACE http://b/x HTTP/1.0\r\nMax-Forwards: 0\r\nCookie: c\r\nAuthorization: d\r\nA: "
      "b\r\n\r\n";
  ASSERT_EQ(parse_request(bytes, head), Refusal::kNone);
  std::string out;
  write_trace(head, out);
  EXPECT_EQ(out, "TRACE http://b/x HTTP/1.0\r\nMax-Forwards: 0\r\nA: b\r\n\r\n");
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
