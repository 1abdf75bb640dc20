#include "app/sidecar.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sstream>
#include <thread>
#include <unistd.h>

#include "app/listeners.hpp"
#include "app/state_lock.hpp"
#include "core/clock.hpp"

namespace pilotfish::app {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::StartsWith;
namespace asio = boost::asio;

std::uint16_t free_port() {
  return bind_listener("x", *Endpoint::parse("127.0.0.1:0"), 1).endpoint.port;
}

/// A whole sidecar in this process: workers, admin, signals. Its upstream is a port where nobody
/// listens, so that answers are its own.
class SidecarTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (std::filesystem::temp_directory_path() / "pilotfish-XXXXXX").string();
    ::close(::mkstemp(name.data()));
    file_ = name;
    write("2");
    code_ = std::async(std::launch::async, [this] { return run_sidecar(file_, false, err_); });
    ASSERT_TRUE(until([this] { return get(admin_, "/ready").starts_with("HTTP/1.1 200"); }));
  }

  void TearDown() override {
    if (code_.valid()) {
      (void)::kill(::getpid(), SIGTERM);
      EXPECT_EQ(code_.get(), 0);
    }
    std::filesystem::remove(file_);
  }

  void write(const std::string& workers, const std::string& more = "") {
    std::ofstream(file_) << "admin: 127.0.0.1:" << admin_ << "\nworkers: " << workers
                         << "\nlog: {level: error}\nshutdown: {drain: 2s}\nupstreams:\n"
                         << "  app: {listen: '127.0.0.1:" << listen_
                         << "', static: ['127.0.0.1:" << backend_ << "']}\n"
                         << more;
  }

  /// The whole answer; empty where nobody answers.
  static std::string get(std::uint16_t port, const std::string& path) {
    asio::io_context io;
    asio::ip::tcp::socket socket(io);
    boost::system::error_code error;
    std::string text;
    (void)socket.connect({asio::ip::address_v4::loopback(), port}, error);
    if (!error) {
      asio::write(
          socket,
          asio::buffer("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"),
          error);
      asio::read(socket, asio::dynamic_buffer(text), error);
    }
    return text;
  }

  template <class Condition>
  static bool until(Condition condition) {
    const auto limit = Clock::now() + 20s;
    while (!condition()) {
      if (Clock::now() > limit) {
        return false;
      }
      std::this_thread::sleep_for(5ms);  // between two looks; the condition decides
    }
    return true;
  }

  std::uint16_t admin_ = free_port();
  std::uint16_t listen_ = free_port();
  std::uint16_t backend_ = free_port();
  std::string file_;
  std::ostringstream err_;
  std::future<int> code_;
};

TEST_F(SidecarTest, MergesItsWorkersOnTheAdminPages) {
  EXPECT_THAT(get(listen_, "/"), StartsWith("HTTP/1.1 50"));
  const auto upstreams = get(admin_, "/upstreams");
  EXPECT_THAT(upstreams, HasSubstr("\"workers\":2,\"workers_answered\":2"));
  EXPECT_THAT(upstreams, HasSubstr("\"address\":\"127.0.0.1:" + std::to_string(backend_) + "\""));
  const auto metrics = get(admin_, "/metrics");
  EXPECT_THAT(metrics, HasSubstr("pilotfish_upstream_tier{upstream=\"app\"} 0\n"));
  EXPECT_THAT(metrics,
              HasSubstr("pilotfish_downstream_requests_total{upstream=\"app\",code=\"5xx\"} 1\n"));
  EXPECT_THAT(metrics, HasSubstr("pilotfish_build_info{version="));
  EXPECT_THAT(get(admin_, "/config"), HasSubstr("least_request"));
}

TEST_F(SidecarTest, CountsReloadsAndSurvivesInvalidOnes) {
  const auto reloads = [this](const char* result) {
    (void)::kill(::getpid(), SIGHUP);
    return until([&] {
      return get(admin_, "/metrics")
                 .find("pilotfish_config_reloads_total{result=\"" + std::string(result) +
                       "\"} 1") != std::string::npos;
    });
  };
  EXPECT_TRUE(reloads("ok"));
  write("2", "nonsense: 1\n");
  EXPECT_TRUE(reloads("invalid"));
  EXPECT_THAT(get(admin_, "/ready"), StartsWith("HTTP/1.1 200"));
}

TEST_F(SidecarTest, RefusesAReloadToAStateDirThatIsInUse) {
  const auto directory = file_ + ".state";
  const auto other = StateLock::take(directory);
  ASSERT_TRUE(other.lock) << other.problem;
  write("2", "state_dir: " + directory + "\n");
  (void)::kill(::getpid(), SIGHUP);
  EXPECT_TRUE(until([this] {
    return get(admin_, "/metrics").find("reloads_total{result=\"failed\"} 1") != std::string::npos;
  }));
  EXPECT_THAT(get(admin_, "/config"), HasSubstr(directory + " is in use by another pilotfish"));
  EXPECT_THAT(get(admin_, "/ready"), StartsWith("HTTP/1.1 200"));
  std::filesystem::remove_all(directory);
}

TEST_F(SidecarTest, DrainsOnASignalAndEndsWithZero) {
  (void)::kill(::getpid(), SIGTERM);
  EXPECT_EQ(code_.get(), 0);
  EXPECT_EQ(get(listen_, "/"), "");
  EXPECT_EQ(get(admin_, "/health"), "");
}

}  // namespace
}  // namespace pilotfish::app
