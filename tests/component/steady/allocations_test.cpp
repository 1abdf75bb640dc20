// The steady state of the data plane allocates nothing: counted, on the worker's thread.
#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>
#include <list>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include "core/instance.hpp"
#include "metrics/store.hpp"
#include "proxy/proxy.hpp"
#include "proxy/sticky.hpp"
#include "tests/component/steady/allocation_count.hpp"

namespace pilotfish::proxy {
namespace {

using net::asio::ip::tcp;
using pilotfish::testing::AllocationCount;
using Socket = tcp::socket;

class SilentLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

/// Answers every request head of every connection, one thread per connection.
class Instance {
 public:
  explicit Instance(std::string answer, std::string request_end = "\r\n\r\n")
      : answer_(std::move(answer)),
        request_end_(std::move(request_end)),
        acceptor_(context_, {net::asio::ip::address_v4::loopback(), 0}) {
    accepting_ = std::thread([this] { accept(); });
  }
  ~Instance() {
    ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
    accepting_.join();
    for (auto& socket : sockets_) {
      ::shutdown(socket.native_handle(), SHUT_RDWR);
    }
    for (auto& thread : serving_) {
      thread.join();
    }
  }
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;
  [[nodiscard]] Endpoint endpoint() const {
    return *Endpoint::parse("127.0.0.1:" + std::to_string(acceptor_.local_endpoint().port()));
  }

 private:
  void accept() {
    for (;;) {
      net::ErrorCode error;
      Socket socket(context_);
      acceptor_.accept(socket, error);
      if (error) {
        return;
      }
      auto& kept = sockets_.emplace_back(std::move(socket));
      serving_.emplace_back([this, &kept] { serve(kept); });
    }
  }
  void serve(Socket& socket) {
    net::asio::streambuf buffer;
    net::ErrorCode error;
    for (;;) {
      const auto size = net::asio::read_until(socket, buffer, request_end_, error);
      if (error) {
        return;
      }
      buffer.consume(size);
      net::asio::write(socket, net::asio::buffer(answer_), error);
    }
  }

  std::string answer_;
  std::string request_end_;
  net::asio::io_context context_;
  tcp::acceptor acceptor_;
  std::list<Socket> sockets_;
  std::vector<std::thread> serving_;
  std::thread accepting_;
};

/// A proxy worker on a thread of its own, whose allocations count.
class SteadyState : public ::testing::Test {
 protected:
  void start(const std::vector<Endpoint>& instances) {
    UpstreamOptions options;
    InstanceList list;
    for (const auto& endpoint : instances) {
      list.push_back({.endpoint = endpoint, .tags = {}});
    }
    normalise(list);
    options.source = resolver::StaticSource{list};
    start_with(std::move(options));
  }
  void start_with(UpstreamOptions options) {
    options.name = "u";
    shared_.logger = &logger_;
    const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const tcp::endpoint any(net::asio::ip::address_v4::loopback(), 0);
    ASSERT_EQ(::bind(descriptor, any.data(), static_cast<socklen_t>(any.size())), 0);
    ASSERT_EQ(::listen(descriptor, 128), 0);
    socklen_t size = static_cast<socklen_t>(listen_.capacity());
    ::getsockname(descriptor, listen_.data(), &size);
    worker_ = std::thread([this, options, descriptor] {
      AllocationCount::count_this_thread();
      const auto guard = net::asio::make_work_guard(io_);
      proxy_ = std::make_unique<Proxy>(io_, shared_, store_);
      proxy_->start({options}, {{options.name, descriptor}});
      io_.run();
      io_.restart();
      io_.run_for(std::chrono::milliseconds(200));
      proxy_.reset();
    });
  }
  void TearDown() override {
    clients_.clear();
    net::asio::post(io_, [this] {
      proxy_->stop();
      io_.stop();
    });
    worker_.join();
  }
  void connect(std::size_t clients) {
    for (std::size_t i = 0; i < clients; ++i) {
      clients_.emplace_back(context_).connect(listen_);
      clients_.back().set_option(tcp::no_delay(true));
    }
  }
  /// Every client asks, then every client reads its answer, `rounds` times.
  void ask(const std::string& request, std::size_t answer_size, int rounds) {
    std::string answer(answer_size, ' ');
    for (int round = 0; round < rounds; ++round) {
      for (auto& client : clients_) {
        net::asio::write(client, net::asio::buffer(request));
      }
      for (auto& client : clients_) {
        net::asio::read(client, net::asio::buffer(answer));
        ASSERT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
        ASSERT_TRUE(answer.ends_with(body_)) << answer;
      }
    }
  }
  /// Allocations of the worker during `rounds`, after as many to warm up.
  std::uint64_t allocations(const std::string& request, std::size_t answer_size, int rounds) {
    ask(request, answer_size, rounds);
    const auto before = AllocationCount::so_far();
    ask(request, answer_size, rounds);
    return AllocationCount::so_far() - before;
  }

  const std::string body_ = std::string(98, 'x') + "\r\n";
  const std::string answer_ =
      "HTTP/1.1 200 OK\r\nServer: some\r\nContent-Type: text/plain\r\n"
      "Content-Length: 100\r\nDate: Sat, 21 Nov 2026 08:00:00 GMT\r\n\r\n" +
      body_;
  const std::string relayed_ = "Via: 1.1 pilotfish\r\n";
  SilentLogger logger_;
  metrics::Store store_;
  Shared shared_;
  net::IoContext io_{1};
  std::unique_ptr<Proxy> proxy_;
  tcp::endpoint listen_;
  std::thread worker_;
  net::asio::io_context context_;
  std::list<Socket> clients_;
};

constexpr int kRounds = 200;

TEST_F(SteadyState, CountsWhatConnectionsAndTheirFirstRequestsTake) {
  Instance one(answer_);
  start({one.endpoint()});
  connect(4);
  ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n", answer_.size() + relayed_.size(), 1);
  EXPECT_GT(AllocationCount::so_far(), 0U) << "the count itself does not work";
}

TEST_F(SteadyState, AllocatesNothingForRequestsOnKeptConnections) {
  Instance one(answer_);
  Instance two(answer_);
  Instance three(answer_);
  start({one.endpoint(), two.endpoint(), three.endpoint()});
  connect(16);
  EXPECT_EQ(allocations("GET /some/path?a=b HTTP/1.1\r\nHost: app.example:8080\r\n"
                        "User-Agent: something\r\nAccept: */*\r\nCookie: a=b; c=d\r\n\r\n",
                        answer_.size() + relayed_.size(), kRounds),
            0U);
}

TEST_F(SteadyState, AllocatesNothingForRequestsWithShortBodies) {
  Instance one(answer_);
  start({one.endpoint()});
  connect(8);
  EXPECT_EQ(allocations("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello",
                        answer_.size() + relayed_.size(), kRounds),
            0U);
}

TEST_F(SteadyState, KeepsTheConnectionHoweverSoonTheAnswerFollowsTheBody) {
  // The rest of the body goes up and the answer comes down while the worker handles one batch of
  // events: the upload has ended all the same.
  Instance one(answer_, "END");
  start({one.endpoint()});
  connect(16);
  for (int round = 0; round < 300; ++round) {
    for (const std::string_view piece :
         {"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhe", "END"}) {
      for (auto& client : clients_) {
        net::asio::write(client, net::asio::buffer(piece));
      }
    }
    std::string answer(answer_.size() + relayed_.size(), ' ');
    for (auto& client : clients_) {
      net::ErrorCode error;
      net::asio::read(client, net::asio::buffer(answer), error);
      ASSERT_FALSE(error) << error.message() << " in round " << round;
      ASSERT_EQ(answer.find("Connection: close"), std::string::npos);
    }
  }
}

TEST_F(SteadyState, AllocatesNothingForSharesHeadersAndCookies) {
  Instance four(answer_);
  Instance five(answer_);
  Instance three(answer_);
  UpstreamOptions options;
  resolver::ConsulSource source;
  source.service = "u";
  source.tiers = {{"v4"}, {"v3"}};
  options.source = source;
  options.fresh = resolver::Freshness::kWatch;
  options.cluster.split = {{{"v5"}, 300}};
  options.choose_by = "x-version";
  options.sticky = {"kept", std::chrono::hours(1)};
  start_with(options);
  auto state = std::make_shared<resolver::WatchState>();
  state->up = true;
  InstanceList list{{.endpoint = four.endpoint(), .tags = {"v4"}},
                    {.endpoint = five.endpoint(), .tags = {"v5"}},
                    {.endpoint = three.endpoint(), .tags = {"v3"}}};
  normalise(list);
  state->instances = std::make_shared<const InstanceList>(std::move(list));
  state->asked = state->answered = Clock::now();
  net::asio::post(io_, [this, state] { proxy_->push_watch({"u", ""}, state); });
  connect(16);
  std::string set;
  write_sticky_cookie("kept", 0, std::chrono::hours(1), set);
  const auto answered = answer_.size() + relayed_.size();
  const std::string get = "GET / HTTP/1.1\r\nHost: a\r\nCookie: a=b;c=d\r\n";
  EXPECT_EQ(allocations(get + "\r\n", answered + set.size(), kRounds), 0U) << "its share, or not";
  EXPECT_EQ(allocations(get + "X-Version: v3\r\n\r\n", answered + set.size(), kRounds), 0U);
  const balancer::InstanceState kept(three.endpoint());
  write_sticky_cookie("kept", sticky_value("u", kept), std::chrono::hours(1), set);
  const auto at = set.rfind("kept=");
  EXPECT_EQ(
      allocations(get + "Cookie: x=1;" + set.substr(at, 21) + ";y=2\r\n\r\n", answered, kRounds),
      0U);
}

}  // namespace
}  // namespace pilotfish::proxy
