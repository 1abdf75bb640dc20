#include <unistd.h>

#include "http/client.hpp"
#include "tests/component/registry/fixture.hpp"
#include "tests/support/fake_http.hpp"

namespace pilotfish::test {
namespace {

class HttpClient : public RegistryTest {
 protected:
  http::ClientResult fetch(const std::string& url, Duration limit = 2s,
                           http::ClientRequest request = {}) {
    auto target = http::ClientTarget::parse(url);
    EXPECT_TRUE(target) << url;
    return await(http::fetch(io.get_executor(), *target, std::move(request), Clock::now() + limit))
        .value_or(http::ClientResult{.error = "never ended"});
  }
  http::ClientResult raw(std::string bytes) {
    FakeHttp server(io, [&](auto&) { return FakeReply{.raw = bytes}; });
    return fetch(server.url());
  }
};

TEST(ClientTarget, ParsesWhatPeopleWrite) {
  const auto one = http::ClientTarget::parse("http://127.0.0.1:8500/v1/x?y=1");
  ASSERT_TRUE(one);
  EXPECT_EQ(one->host, "127.0.0.1");
  EXPECT_EQ(one->port, 8500);
  EXPECT_EQ(one->path, "/v1/x?y=1");
  EXPECT_EQ(http::ClientTarget::parse("localhost:8500")->to_string(), "localhost:8500");
  EXPECT_EQ(http::ClientTarget::parse("http://consul")->to_string(), "consul:80");
  EXPECT_EQ(http::ClientTarget::parse("http://[::1]:80/")->to_string(), "[::1]:80");
  EXPECT_EQ(http::ClientTarget::parse("http://h?a=b")->path, "/?a=b");
  EXPECT_EQ(http::ClientTarget::parse("unix:///run/c.sock")->unix_path, "/run/c.sock");
}

TEST(ClientTarget, RefusesTheRest) {
  for (const auto* bad :
       {"", "consul", "https://consul:8501", "http://", "http://:80", "http://h:", "http://h:0",
        "http://h:65536", "http://h:8x", "http://[::1", "http://[::1]x", "http://u@h/", "unix://",
        "http://a b/", "http://a\r\nb/", "ftp://h"}) {
    EXPECT_FALSE(http::ClientTarget::parse(bad)) << bad;
  }
}

TEST_F(HttpClient, BringsStatusBodyAndFields) {
  FakeRequest seen;
  FakeHttp server(io, [&](auto& request) {
    seen = request;
    return FakeReply{.status = 429, .body = "slow down"};
  });
  const auto result = fetch(server.url() + "/a?b=c", 2s,
                            {.method = "PUT", .path = "", .body = "{}", .headers = {{"X-A", "1"}}});
  EXPECT_EQ(result.status, 429U);
  EXPECT_EQ(result.body, "slow down");
  EXPECT_EQ(result.header("x-fake"), "yes");
  EXPECT_EQ(seen.method, "PUT");
  EXPECT_EQ(seen.target, "/a?b=c");
  EXPECT_EQ(seen.body, "{}");
  EXPECT_EQ(seen.header("X-A"), "1");
  EXPECT_EQ(seen.header("Content-Type"), "application/json");
}

TEST_F(HttpClient, SpeaksOverAUnixSocket) {
  const auto path = "/tmp/pf-client-" + std::to_string(::getpid()) + ".sock";
  ::unlink(path.c_str());
  {
    FakeHttp server(
        io, [](auto&) { return FakeReply{.body = "hi"}; }, path);
    EXPECT_EQ(fetch("unix://" + path).body, "hi");
  }
  EXPECT_EQ(fetch("unix://" + path).error, "unix://" + path + ": connection refused");
  ::unlink(path.c_str());
}

TEST_F(HttpClient, SaysWhoRefused) {
  FakeHttp server(io, nullptr);
  const auto url = server.url();
  server.down();
  const auto result = fetch(url);
  EXPECT_EQ(result.status, 0U);
  EXPECT_EQ(result.error, "127.0.0.1:" + std::to_string(server.port()) + ": connection refused");
  EXPECT_FALSE(result.sent);
}

TEST_F(HttpClient, ResolvesLocalhostWithoutAskingAnybody) {
  FakeHttp server(io, [](auto&) { return FakeReply{.body = "hi"}; });
  EXPECT_EQ(fetch("http://localhost:" + std::to_string(server.port())).body, "hi");
}

TEST_F(HttpClient, ReportsANameThatDoesNotExist) {
  const auto result = fetch("http://nowhere.invalid:80", 5s);
  EXPECT_EQ(result.status, 0U);
  EXPECT_NE(result.error.find("nowhere.invalid:80: "), std::string::npos);
}

TEST_F(HttpClient, EndsAtTheDeadlineWhenTheServerHangs) {
  FakeHttp server(io, [](auto&) { return FakeReply{.hang = true}; });
  const auto began = Clock::now();
  const auto result = fetch(server.url(), 200ms);
  EXPECT_TRUE(result.timed_out);
  EXPECT_TRUE(result.sent);
  EXPECT_NE(result.error.find("no answer in time"), std::string::npos);
  EXPECT_LT(Clock::now() - began, 2s);
}

TEST_F(HttpClient, EndsAtTheDeadlineWhenTheAnswerStallsHalfWay) {
  FakeHttp server(io, [](auto&) { return FakeReply{.body = "late", .delay = 10s}; });
  EXPECT_TRUE(fetch(server.url(), 100ms).timed_out);
}

TEST_F(HttpClient, ReadsChunkedAnswersAndAnswersThatEndWithTheConnection) {
  EXPECT_EQ(raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n").body,
            "abc");
  EXPECT_EQ(raw("HTTP/1.0 200 OK\r\n\r\nto the end").body, "to the end");
}

TEST_F(HttpClient, RefusesAnswersThatAreNone) {
  EXPECT_NE(raw("SSH-2.0-OpenSSH\r\n\r\n").error.find("not HTTP"), std::string::npos);
  EXPECT_NE(raw("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc").error.find("cut short"),
            std::string::npos);
  EXPECT_NE(raw("HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n").error.find("16 MiB"),
            std::string::npos);
  EXPECT_NE(raw("HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x') + "\r\n\r\n")
                .error.find("too large"),
            std::string::npos);
}

TEST_F(HttpClient, SendsNothingWithControlCharacters) {
  int requests = 0;
  FakeHttp server(io, [&](auto&) {
    ++requests;
    return FakeReply{};
  });
  EXPECT_FALSE(fetch(server.url(), 1s, {.path = "/a b"}).answered());
  EXPECT_FALSE(fetch(server.url(), 1s, {.path = "/a\r\nX: y"}).answered());
  EXPECT_FALSE(fetch(server.url(), 1s, {.headers = {{"X-Consul-Token", "a\r\nX: y"}}}).answered());
  EXPECT_EQ(requests, 0);
}

}  // namespace
}  // namespace pilotfish::test
