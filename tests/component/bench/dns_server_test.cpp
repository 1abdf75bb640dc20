#include "bench/harness/dns_server.hpp"

#include <array>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <cstdio>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>

#include "bench/harness/embedded_registry.hpp"
#include "bench/harness/sockets.hpp"
#include "tests/unit/bench/dns_decoder.hpp"

namespace pilotfish::bench {
namespace {

namespace asio = boost::asio;
using testing_dns::Decoded;
using testing_dns::query;

constexpr unsigned kSrv = 33;

CatalogueInstance instance(std::uint16_t port, std::vector<std::string> tags = {}) {
  CatalogueInstance result;
  result.endpoint = loopback(port);
  result.tags = std::move(tags);
  return result;
}

/// Asks over UDP; an empty answer where none came within the limit.
std::vector<std::uint8_t> ask_udp(const Endpoint& server, const std::vector<std::uint8_t>& bytes,
                                  Duration limit = std::chrono::seconds(5)) {
  asio::io_context loop;
  asio::ip::udp::socket socket(loop, asio::ip::udp::v4());
  const auto peer = to_asio(server);
  socket.send_to(asio::buffer(bytes), asio::ip::udp::endpoint(peer.address(), peer.port()));
  std::vector<std::uint8_t> answer(65535);
  std::size_t size = 0;
  socket.async_receive(asio::buffer(answer),
                       [&](const boost::system::error_code& ec, std::size_t n) {
                         if (!ec) size = n;
                       });
  loop.run_for(limit);
  answer.resize(size);
  return answer;
}

std::vector<std::uint8_t> ask_tcp(asio::ip::tcp::socket& socket,
                                  const std::vector<std::uint8_t>& bytes) {
  std::array<std::uint8_t, 2> head{0, static_cast<std::uint8_t>(bytes.size())};
  asio::write(socket, asio::buffer(head));
  asio::write(socket, asio::buffer(bytes));
  asio::read(socket, asio::buffer(head));
  std::vector<std::uint8_t> answer((std::size_t{head[0]} << 8U) | head[1]);
  asio::read(socket, asio::buffer(answer));
  return answer;
}

TEST(DnsServer, AnswersOverUdpAndTcpOnOnePort) {
  EmbeddedRegistry registry;
  for (std::uint16_t port = 1; port <= 40; ++port) registry.add("billing", instance(port));
  const Decoded udp(ask_udp(registry.endpoint(), query("billing.service.consul", kSrv)));
  EXPECT_TRUE(udp.truncated());
  EXPECT_LT(udp.answers.size(), 40U);

  asio::io_context loop;
  asio::ip::tcp::socket socket(loop);
  socket.connect(to_asio(registry.endpoint()));
  for (int i = 0; i < 2; ++i) {
    const Decoded tcp(ask_tcp(socket, query("billing.service.consul", kSrv)));
    EXPECT_EQ(tcp.answers.size(), 40U);
    EXPECT_FALSE(tcp.truncated());
  }
  EXPECT_EQ(registry.dns().udp_queries(), 1U);
  EXPECT_EQ(registry.dns().tcp_queries(), 2U);
}

TEST(DnsServer, ShowsAChangeInTheNextAnswer) {
  EmbeddedRegistry registry;
  const auto asked = query("v4.billing.service.consul", kSrv, 4096);
  EXPECT_EQ(Decoded(ask_udp(registry.endpoint(), asked)).rcode(), 3U);
  registry.add("billing", instance(1, {"v4"}));
  EXPECT_EQ(Decoded(ask_udp(registry.endpoint(), asked)).answers.size(), 1U);
  registry.set_status("billing", loopback(1), CheckStatus::kCritical);
  EXPECT_EQ(Decoded(ask_udp(registry.endpoint(), asked)).rcode(), 3U);
}

TEST(DnsServer, PlaysARegistryInTrouble) {
  EmbeddedRegistry registry;
  registry.add("billing", instance(1));
  const auto asked = query("billing.service.consul", kSrv);
  registry.dns().set_mood(DnsMood::kServfail);
  EXPECT_EQ(Decoded(ask_udp(registry.endpoint(), asked)).rcode(), 2U);
  registry.dns().set_mood(DnsMood::kRefuse);
  EXPECT_EQ(Decoded(ask_udp(registry.endpoint(), asked)).rcode(), 5U);
  registry.dns().set_mood(DnsMood::kSilent);
  EXPECT_TRUE(ask_udp(registry.endpoint(), asked, std::chrono::milliseconds(100)).empty());
  registry.dns().set_mood(DnsMood::kAnswer);
  registry.dns().set_delay(std::chrono::milliseconds(60));
  const auto start = Clock::now();
  EXPECT_EQ(Decoded(ask_udp(registry.endpoint(), asked)).answers.size(), 1U);
  EXPECT_GE(Clock::now() - start, std::chrono::milliseconds(59));
}

TEST(DnsServer, SaysSoWhereItsPortIsTaken) {
  EmbeddedRegistry first;
  DnsServerOptions options;
  options.listen = first.endpoint();
  EXPECT_THROW(EmbeddedRegistry second(options), boost::system::system_error);
}

TEST(DnsServer, IsUnderstoodByDig) {
  if (std::system("command -v dig >/dev/null") != 0) GTEST_SKIP() << "dig is not installed";
  EmbeddedRegistry registry;
  for (std::uint16_t port = 1; port <= 60; ++port) registry.add("billing", instance(port));
  const auto dig = [&](const std::string& arguments) {
    const auto command = "dig @127.0.0.1 -p " + std::to_string(registry.endpoint().port) +
                         " +tries=1 +time=5 " + arguments + " billing.service.consul SRV 2>&1";
    const std::unique_ptr<FILE, int (*)(FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
    std::string text;
    std::array<char, 4096> buffer{};
    while (const auto n = std::fread(buffer.data(), 1, buffer.size(), pipe.get())) {
      text.append(buffer.data(), n);
    }
    return text;
  };
  const auto short_answer = dig("+short");
  EXPECT_EQ(std::count(short_answer.begin(), short_answer.end(), '\n'), 60) << short_answer;
  const auto full = dig("+bufsize=1232 +ignore");
  EXPECT_THAT(full, testing::HasSubstr("status: NOERROR"));
  EXPECT_THAT(full, testing::HasSubstr(" tc"));
  EXPECT_THAT(full, testing::HasSubstr("EDNS: version: 0"));
  EXPECT_THAT(full, testing::HasSubstr("7f000001.addr.dc1.consul. 0\tIN\tA\t127.0.0.1"));
  EXPECT_THAT(full, testing::Not(testing::HasSubstr("WARNING: Message")));
}

}  // namespace
}  // namespace pilotfish::bench
