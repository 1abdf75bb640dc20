#include "bench/harness/backend.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <thread>

#include "bench/harness/http_get.hpp"
#include "bench/harness/http_text.hpp"
#include "bench/harness/sockets.hpp"

namespace pilotfish::bench {
namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A client that keeps its connection; blocking.
class Client {
 public:
  explicit Client(const Endpoint& server) { socket_.connect(to_asio(server)); }
  void send(std::string_view text) { asio::write(socket_, asio::buffer(text.data(), text.size())); }
  /// One answer's instance and body, or the error that came in its place.
  std::string receive() {
    for (;;) {
      const auto answer = parse_response(received_);
      if (answer.complete) {
        std::string text(answer.body);
        received_.erase(0, answer.size);
        return text;
      }
      std::array<char, 4096> buffer{};
      boost::system::error_code ec;
      const auto n = socket_.read_some(asio::buffer(buffer), ec);
      if (ec == asio::error::eof) return "EOF";
      if (ec == asio::error::connection_reset) return "RESET";
      if (ec) return ec.message();
      received_.append(buffer.data(), n);
    }
  }
  std::string get() {
    send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    return receive();
  }

 private:
  asio::io_context loop_;
  asio::ip::tcp::socket socket_{loop_};
  std::string received_;
};

BackendOptions v4(const char* instance) {
  BackendOptions options;
  options.version = "v4";
  options.instance = instance;
  return options;
}

template <class Condition>
bool eventually(Condition condition) {
  const auto until = Clock::now() + seconds(5);
  while (!condition()) {
    if (Clock::now() > until) return false;
    std::this_thread::sleep_for(milliseconds(1));
  }
  return true;
}

TEST(Backend, AnswersManyRequestsOnAConnectionAndSaysWhoItIs) {
  LoopThread loop;
  Backend backend(loop, v4("#3"));
  Client client(backend.endpoint());
  EXPECT_EQ(client.get(), "v4 #3\n");
  EXPECT_EQ(client.get(), "v4 #3\n");
  EXPECT_EQ(backend.connections(), 1U);
  EXPECT_TRUE(eventually([&] { return backend.requests() == 2; }));
}

TEST(Backend, AnswersPipelinedRequestsAndDiscardsBodies) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  Client client(backend.endpoint());
  client.send(
      "POST / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcdGET / HTTP/1.1\r\n\r\n"
      "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(client.receive(), "v4 #1\n");
  EXPECT_EQ(client.receive(), "v4 #1\n");
  EXPECT_EQ(client.receive(), "v4 #1\n");
  EXPECT_EQ(client.receive(), "EOF");
}

TEST(Backend, PadsItsBody) {
  LoopThread loop;
  auto options = v4("#1");
  options.body_bytes = 100;
  Backend backend(loop, options);
  EXPECT_EQ(Client(backend.endpoint()).get().size(), 100U);
}

TEST(Backend, KilledResetsItsConnectionsAndRefusesNewOnes) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  Client idle(backend.endpoint());
  EXPECT_EQ(idle.get(), "v4 #1\n");
  backend.set_delay(seconds(60));
  Client waiting(backend.endpoint());
  waiting.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return backend.connections() == 2; }));
  backend.kill();
  EXPECT_EQ(idle.receive(), "RESET");
  EXPECT_EQ(waiting.receive(), "RESET");
  EXPECT_THROW(Client{backend.endpoint()}, boost::system::system_error);
}

TEST(Backend, RevivedServesOnTheSamePort) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  const auto before = backend.endpoint();
  backend.kill();
  backend.revive();
  EXPECT_EQ(backend.endpoint(), before);
  EXPECT_EQ(Client(before).get(), "v4 #1\n");
}

TEST(Backend, PausedIsConnectedButSilentUntilItResumes) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  backend.pause();
  const auto nothing = http_get(backend.endpoint(), "/", milliseconds(100));
  ASSERT_FALSE(nothing);
  Client client(backend.endpoint());
  client.send("GET / HTTP/1.1\r\n\r\n");
  backend.resume();
  EXPECT_EQ(client.receive(), "v4 #1\n");
}

TEST(Backend, SlowWaitsBeforeItAnswers) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  backend.set_delay(milliseconds(50));
  const auto start = Clock::now();
  EXPECT_EQ(Client(backend.endpoint()).get(), "v4 #1\n");
  EXPECT_GE(Clock::now() - start, milliseconds(49));
}

TEST(Backend, StoppedFinishesWhatRunsAndClosesWhatIsIdle) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  Client idle(backend.endpoint());
  EXPECT_EQ(idle.get(), "v4 #1\n");
  backend.set_delay(milliseconds(100));
  Client running(backend.endpoint());
  running.send("GET / HTTP/1.1\r\n\r\n");
  ASSERT_TRUE(eventually([&] { return backend.connections() == 2; }));
  std::this_thread::sleep_for(milliseconds(10));  // the request is on its way
  backend.stop();
  EXPECT_EQ(idle.receive(), "EOF");
  EXPECT_EQ(running.receive(), "v4 #1\n");
  EXPECT_EQ(running.receive(), "EOF");
  EXPECT_THROW(Client{backend.endpoint()}, boost::system::system_error);
}

TEST(Backend, AnswersTheStatusItIsToldTo) {
  LoopThread loop;
  Backend backend(loop, v4("#1"));
  backend.set_status(503);
  const auto answer = http_get(backend.endpoint(), "/", seconds(5));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 503U);
}

}  // namespace
}  // namespace pilotfish::bench
