#include "app/admin_server.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <thread>

#include "app/listeners.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace asio = boost::asio;

struct QuietLogger final : Logger {
  void log(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

class FakeSource final : public AdminSource {
 public:
  net::Awaitable<MergedStatus> status() override { co_return merged; }
  net::Awaitable<std::string> metrics() override { co_return "metric 1\n"; }
  std::string config() override { return "admin: here\n"; }
  std::string not_ready() const override { return reason; }
  MergedStatus merged;
  std::string reason;
};

/// A server on its own thread; sources are set before the first request.
class AdminServerTest : public ::testing::Test {
 protected:
  void serve(AdminServerOptions options = {}) {
    auto bound = bind_listener("admin", *Endpoint::parse("127.0.0.1:0"), 1);
    port_ = bound.endpoint.port;
    server_.emplace(io_, std::move(bound.sockets[0]), false, options, source_, logger_);
    server_->start();
    thread_ = std::thread([this] { io_.run(); });
  }

  void TearDown() override {
    asio::post(io_, [this] { server_->stop(); });
    thread_.join();
  }

  asio::ip::tcp::socket connect() {
    asio::ip::tcp::socket socket(client_io_);
    socket.connect({asio::ip::address_v4::loopback(), port_});
    const timeval limit{10, 0};
    (void)::setsockopt(socket.native_handle(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    return socket;
  }

  static std::string read_all(asio::ip::tcp::socket& socket) {
    std::string text;
    boost::system::error_code error;
    asio::read(socket, asio::dynamic_buffer(text), error);
    return text;
  }

  /// One request on its own connection, closed by the server.
  std::string ask(const std::string& head) {
    auto socket = connect();
    boost::system::error_code error;
    asio::write(socket, asio::buffer(head), error);
    return read_all(socket);
  }

  std::string get(const std::string& path, const std::string& host = "127.0.0.1") {
    return ask("GET " + path + " HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n");
  }

  QuietLogger logger_;
  FakeSource source_;
  net::IoContext io_{1};
  asio::io_context client_io_;
  std::uint16_t port_ = 0;
  std::optional<AdminServer> server_;
  std::thread thread_;
};

TEST_F(AdminServerTest, ServesEveryPage) {
  serve();
  EXPECT_THAT(get("/metrics"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(get("/metrics?x=1"), HasSubstr("\r\n\r\nmetric 1\n"));
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
  EXPECT_THAT(get("/ready"), HasSubstr("\r\n\r\nready\n"));
  EXPECT_THAT(get("/upstreams"), HasSubstr("{\"upstreams\":[]"));
  EXPECT_THAT(get("/upstreams"), HasSubstr("application/json"));
  EXPECT_THAT(get("/config"), HasSubstr("admin: here\n"));
  EXPECT_THAT(get("/"), HasSubstr("/upstreams"));
}

TEST_F(AdminServerTest, ListsItsPagesWhereThereIsNone) {
  serve();
  const auto answer = get("/nothing");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 404 "));
  EXPECT_THAT(answer, HasSubstr("/metrics"));
}

TEST_F(AdminServerTest, SaysWhyItIsNotReady) {
  MergedUpstream upstream;
  upstream.status.name = "billing";
  upstream.workers = 1;
  upstream.not_serving_reason = "every tier is empty";
  source_.merged.upstreams = {upstream};
  source_.merged.workers = source_.merged.workers_answered = 1;
  serve();
  const auto answer = get("/ready");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(answer, HasSubstr("billing: every tier is empty\n"));
}

TEST_F(AdminServerTest, IsNotReadyWhileItDrains) {
  source_.reason = "draining";
  serve();
  EXPECT_THAT(get("/ready"), HasSubstr("\r\n\r\ndraining\n"));
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, AnswersHeadWithoutABody) {
  serve();
  const auto answer = ask("HEAD /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("Content-Length: 9\r\n"));
  EXPECT_TRUE(answer.ends_with("\r\n\r\n"));
}

TEST_F(AdminServerTest, AllowsNothingButGetAndHead) {
  serve();
  const auto answer =
      ask("POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n"
          "Connection: close\r\n\r\nhi");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 405 "));
  EXPECT_THAT(answer, HasSubstr("Allow: GET, HEAD\r\n"));
}

TEST_F(AdminServerTest, RefusesNamesThatCouldHaveBeenReboundToUs) {
  serve();
  EXPECT_THAT(get("/config", "evil.example:9900"), StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask("GET /config HTTP/1.1\r\nConnection: close\r\n\r\n"),
              StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(ask("GET /health HTTP/1.0\r\n\r\n"), HasSubstr(" 200 "));
  // Prometheus sends the SRV target it was told; what it reads holds no secret.
  EXPECT_THAT(get("/metrics", "one.svc.prom.local:9900"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, TakesAnyNameWhereItIsPublic) {
  serve({.any_host = true});
  EXPECT_THAT(get("/health", "sidecar.example"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, KeepsAConnectionForPipelinedRequests) {
  serve();
  const std::string one = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  const auto answers =
      ask(one + one + "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(answers, HasSubstr("ok\nHTTP/1.1 200 OK"));
  EXPECT_TRUE(answers.ends_with("ready\n"));
}

TEST_F(AdminServerTest, KeepsAConnectionForALaterRequest) {
  serve();
  auto socket = connect();
  const std::string one = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  std::string buffer;
  for (int i = 0; i < 3; ++i) {
    asio::write(socket, asio::buffer(one));
    const auto size = asio::read_until(socket, asio::dynamic_buffer(buffer), "ok\n");
    EXPECT_THAT(buffer.substr(0, size), StartsWith("HTTP/1.1 200"));
    buffer.erase(0, size);
  }
}

TEST_F(AdminServerTest, AnswersGarbageAndGoesOn) {
  serve();
  EXPECT_THAT(ask(std::string("\0\0\0\0\r\n\r\n", 8)), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /metrics\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /" + std::string(50'000, 'x')),
              AnyOf(StartsWith("HTTP/1.1 431 "), StartsWith("HTTP/1.1 400 ")));
  EXPECT_THAT(ask("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999\r\n\r\n"),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
}

TEST_F(AdminServerTest, GivesUpOnASlowHead) {
  serve({.head_timeout = 50ms});
  EXPECT_THAT(ask("GET /health HTTP/1.1\r\nHo"), StartsWith("HTTP/1.1 408 "));
}

TEST_F(AdminServerTest, ClosesAnIdleConnectionToTakeANewOne) {
  serve({.max_connections = 2});
  std::vector<asio::ip::tcp::socket> idle;
  const std::string one = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
  for (int i = 0; i < 2; ++i) {
    idle.push_back(connect());
    asio::write(idle.back(), asio::buffer(one));
    std::string buffer;
    asio::read_until(idle.back(), asio::dynamic_buffer(buffer), "ok\n");
  }
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(read_all(idle[0]), "") << "the longest idle one was closed";
}

TEST_F(AdminServerTest, ClosesASlowConnectionToTakeANewOne) {
  serve({.head_timeout = 60s, .max_connections = 2});
  std::vector<asio::ip::tcp::socket> slow;
  for (int i = 0; i < 2; ++i) {
    slow.push_back(connect());
    asio::write(slow.back(), asio::buffer(std::string("GET /health HTTP/1.1\r\nHo")));
  }
  slow.push_back(connect());  // waits in the queue and says nothing when its turn comes
  EXPECT_THAT(get("/health"), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(read_all(slow[0]), "") << "the one that took longest was closed";
}

}  // namespace
}  // namespace pilotfish::app
