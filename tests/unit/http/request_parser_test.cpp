#include <deque>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "http/h1_parser.hpp"
#include "http/head_scan.hpp"

namespace pilotfish::http {
namespace {

/// As a session reads it: kMalformed where the scan refuses or finds no end.
Refusal read(const std::string& text, RequestHead& head) {
  static std::deque<std::string> kept;  // heads are views into what they were read from
  const auto& bytes = kept.emplace_back(text);
  HeadScan scan;
  if (scan.scan(bytes) != HeadScan::State::kFound) {
    return Refusal::kMalformed;
  }
  return parse_request(std::string_view(bytes).substr(0, scan.length()), head);
}

Refusal read(const std::string& bytes) {
  RequestHead head;
  return read(bytes, head);
}

Refusal with_fields(const std::string& fields) {
  return read("POST / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n");
}

TEST(RequestParser, DigestsAPlainRequest) {
  RequestHead head;
  const std::string bytes = "GET /a?b HTTP/1.1\r\nHost: a:80\r\nAccept: \t*/* \r\n\r\n";
  ASSERT_EQ(read(bytes, head), Refusal::kNone);
  EXPECT_EQ(head.method, Method::kGet);
  EXPECT_EQ(head.path, "/a?b");
  EXPECT_EQ(head.host, "a:80");
  EXPECT_EQ(head.framing, Framing::kNone);
  EXPECT_TRUE(head.keep_alive);
  ASSERT_EQ(head.fields.size(), 2U);
  EXPECT_EQ(head.fields[1].value, "*/*");
}

TEST(RequestParser, DigestsFraming) {
  RequestHead head;
  ASSERT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 42\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kLength);
  EXPECT_EQ(head.length, 42U);
  ASSERT_EQ(read("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: Chunked\r\n\r\n", head),
            Refusal::kNone);
  EXPECT_EQ(head.framing, Framing::kChunked);
}

TEST(RequestParser, ReplacesTheHostByTheAuthorityOfAnAbsoluteTarget) {
  RequestHead head;
  ASSERT_EQ(read("GET http://b:81/x HTTP/1.1\r\nHost: a\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.authority, "b:81");
  EXPECT_EQ(head.path, "/x");
  ASSERT_EQ(read("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.path, "/");
  // RFC 9112 section 3.2.4: without a path, OPTIONS is about the whole server.
  ASSERT_EQ(read("OPTIONS http://b HTTP/1.1\r\nHost: a\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.path, "*");
  ASSERT_EQ(read("OPTIONS http://b/ HTTP/1.1\r\nHost: a\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.path, "/");
  ASSERT_EQ(read("GET http://b?q HTTP/1.1\r\nHost:\r\n\r\n", head), Refusal::kNone);
  EXPECT_EQ(head.authority, "b");
  EXPECT_EQ(head.path, "?q");
  EXPECT_EQ(read("GET http://u@b/x HTTP/1.1\r\nHost: a\r\n\r\n"), Refusal::kMalformed);
  EXPECT_EQ(read("GET ftp://b/x HTTP/1.1\r\nHost: a\r\n\r\n"), Refusal::kMalformed);
}

TEST(RequestParser, KnowsWhenTheClientCloses) {
  RequestHead head;
  ASSERT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, CLOSE\r\n\r\n", head),
            Refusal::kNone);
  EXPECT_FALSE(head.keep_alive);
  EXPECT_TRUE(head.named_in_connection);
  ASSERT_EQ(read("GET / HTTP/1.0\r\n\r\n", head), Refusal::kNone);
  EXPECT_FALSE(head.keep_alive);
  ASSERT_EQ(read("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", head), Refusal::kNone);
  EXPECT_TRUE(head.keep_alive);
}

TEST(RequestParser, TakesUpgradesButNotToH2c) {
  RequestHead head;
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: ";
  ASSERT_EQ(read(start + "websocket\r\n\r\n", head), Refusal::kNone);
  EXPECT_TRUE(head.upgrade);
  ASSERT_EQ(read(start + "h2c\r\n\r\n", head), Refusal::kNone);
  EXPECT_FALSE(head.upgrade);
}

TEST(RequestParser, RefusesContentLengthsThatCouldBeReadTwoWays) {
  for (const std::string value :
       {"", "+5", "-5", "0x5", "5 5", "5_0", "5.0", "5\x0b", "05", "5,", "5, 6", "5, 5",
        "18446744073709551616", "18446744073709551617", "9223372036854775808",
        "1111111111111111111111111111111111111111"}) {
    EXPECT_EQ(with_fields("Content-Length: " + value + "\r\n"), Refusal::kMalformed) << value;
  }
  EXPECT_EQ(with_fields("Content-Length: 1\r\nContent-Length: 0\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("Content-Length: 5\r\nContent-Length: 5\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("Content-Length : 34\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("Content-Length0" + std::string(256, 'a') + ":\r\nContent-Length: 60\r\n"),
            Refusal::kNone);
}

TEST(RequestParser, RefusesEveryTransferEncodingButChunked) {
  for (const std::string value :
       {"xchunked", "gzip", "gzip, chunked", "identity", "chunkedchunked", "identity, chunked"}) {
    EXPECT_EQ(with_fields("Transfer-Encoding: " + value + "\r\n"), Refusal::kUnknownCoding)
        << value;
  }
  for (const std::string value :
       {"", ",chunked", "chunked,", "chunked, identity", "chunked, chunked",
        "\x0b"
        "chunked",
        "\xa0"
        "chunked",
        "chunked;a=b", "\"chunked\""}) {
    EXPECT_EQ(with_fields("Transfer-Encoding: " + value + "\r\n"), Refusal::kMalformed) << value;
  }
  EXPECT_EQ(with_fields("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
            Refusal::kMalformed);
  EXPECT_EQ(with_fields("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n"),
            Refusal::kMalformed);
  EXPECT_EQ(with_fields("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
            Refusal::kMalformed);
  EXPECT_EQ(with_fields("Transfer-Encoding\t: chunked\r\n"), Refusal::kMalformed);
  EXPECT_EQ(read("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"), Refusal::kMalformed);
}

TEST(RequestParser, RefusesBrokenFields) {
  EXPECT_EQ(with_fields(": x\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("A b: c\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("no colon\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields(std::string("A: b\0c\r\n", 8)), Refusal::kMalformed);
  EXPECT_EQ(with_fields("A: b\x0c"
                        "c\r\n"),
            Refusal::kMalformed);
  EXPECT_EQ(with_fields("A\x85: 1\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("A: \x7f\r\n"), Refusal::kMalformed);
  EXPECT_EQ(with_fields("A: x\rTransfer-Encoding: chunked\r\n"), Refusal::kMalformed);
}

TEST(RequestParser, RefusesBrokenTargetsVersionsAndHosts) {
  for (const std::string line :
       {"GET /", "GET / HTTP/1.1.1", "GET / HTTP/9.9", "GET / HTTP/2.0", "GET / HTTP/1.10",
        "GET /a#b HTTP/1.1", "GET /a b HTTP/1.1", "GET /a\tHTTP/1.1 HTTP/1.1", "GET a HTTP/1.1",
        "GET * HTTP/1.1", "GET /\x80 HTTP/1.1", "G ET / HTTP/1.1", "GET  / HTTP/1.1",
        "GET / HTTP/1.1 ", "GET / http/1.1", "GET /\x01 HTTP/1.1"}) {
    EXPECT_EQ(read(line + "\r\nHost: a\r\n\r\n"), Refusal::kMalformed) << line;
  }
  EXPECT_EQ(read(std::string("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", 27)), Refusal::kMalformed);
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n"), Refusal::kMalformed);
  EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n"), Refusal::kMalformed);
  for (const std::string host :
       {"",          "a, b",  "a,b",       "a:99999", "user@a",   "a b",        "a/b",
        "[::1",      "a:x",   "a%",        "a%2",     "a%zz",     "%",          "[%%%]",
        "[12345::]", "[:::]", "[1::2::3]", "[::1%]",  "[::1%25]", "[::1%eth0]", "[1.2.3.4]",
        "[v.x]",     "[v1.]", "[vg.x]",    "[]"}) {
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), Refusal::kMalformed) << host;
  }
  for (const std::string host : {"a", "a.b:80", "[::1]:80", "127.0.0.1", "a_b", "a:", "a%2fb",
                                 "[::ffff:1.2.3.4]", "[fe80::1%25eth0]:1", "[v1.a:b]"}) {
    EXPECT_EQ(read("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n"), Refusal::kNone) << host;
  }
  EXPECT_EQ(read("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), Refusal::kNone);
  EXPECT_EQ(read("CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"), Refusal::kConnectMethod);
}

TEST(RequestParser, TakesAnyMinorVersionAboveOneAsOne) {
  RequestHead head;
  // Plain, and of the kind that is left to Beast.
  for (const std::string more : {"", "Upgrade: x\r\nConnection: upgrade, a\r\nB:\r\n"}) {
    for (const std::string version : {"HTTP/1.2", "HTTP/1.9"}) {
      ASSERT_EQ(read("GET /x " + version + "\r\nHost: a\r\n" + more + "\r\n", head),
                Refusal::kNone);
      EXPECT_EQ(head.version, Version::k11);
      EXPECT_TRUE(head.keep_alive);
      EXPECT_EQ(head.method_text, "GET");
      EXPECT_EQ(head.path, "/x");
      EXPECT_EQ(head.host, "a");
    }
  }
  EXPECT_EQ(read("GET / HTTP/1.2\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"),
            Refusal::kUnknownCoding);
  EXPECT_EQ(read("GET / HTTP/1.2\r\n\r\n"), Refusal::kMalformed);
}

TEST(RequestParser, ReadsMaxForwardsOfTraceAndOptions) {
  RequestHead head;
  const std::string rest = " HTTP/1.1\r\nHost: a\r\nMax-Forwards: ";
  for (const std::string method : {"TRACE /", "OPTIONS *"}) {
    ASSERT_EQ(read(method + rest + "0\r\n\r\n", head), Refusal::kNone);
    EXPECT_EQ(head.max_forwards, 0U);
    ASSERT_EQ(read(method + rest + "12\r\n\r\n", head), Refusal::kNone);
    EXPECT_EQ(head.max_forwards, 12U);
    for (const std::string value : {"", "x", "-1", "1x", "1, 2", "0\r\nMax-Forwards: 0"}) {
      EXPECT_EQ(read(method + rest + value + "\r\n\r\n"), Refusal::kMalformed) << value;
    }
  }
  ASSERT_EQ(read("GET /" + rest + "x\r\n\r\n", head), Refusal::kNone);
  EXPECT_FALSE(head.max_forwards);
}

TEST(Trailers, RefuseFramingAndBrokenLines) {
  std::vector<Field> fields;
  EXPECT_TRUE(parse_trailers("\r\n", fields));
  EXPECT_TRUE(parse_trailers("X: y\r\nZ:\r\n\r\n", fields));
  EXPECT_EQ(fields.size(), 2U);
  for (const std::string bytes :
       {"Content-Length: 3\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n", "X y\r\n\r\n",
        "X : y\r\n\r\n", ": y\r\n\r\n", "X: \x01\r\n\r\n", " X: y\r\n\r\n"}) {
    EXPECT_FALSE(parse_trailers(bytes, fields)) << bytes;
    EXPECT_FALSE(good_trailers(bytes)) << bytes;
  }
  EXPECT_TRUE(good_trailers("X: y\r\nGET:/x HTTP/1.1\r\n\r\n"));
  EXPECT_FALSE(good_trailers("Connection: close\r\n\r\n"));
}

}  // namespace
}  // namespace pilotfish::http
