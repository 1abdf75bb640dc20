#include "app/listeners.hpp"

#include <array>
#include <cstring>
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <map>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "app/inherited.hpp"
#include "app/sd_notify.hpp"

namespace pilotfish::app {
namespace {

using ::testing::HasSubstr;

constexpr const char* kAnyPort = "127.0.0.1:0";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

/// What another process does that shares its port (SO_REUSEPORT).
Descriptor hold_shared(std::uint16_t port, bool& bound) {
  Descriptor fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  (void)::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  const sockaddr_in address = loopback(port);
  bound = ::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0 &&
          ::listen(fd.get(), 16) == 0;
  return fd;
}

std::string failure_of(const Endpoint& where, std::uint32_t count) {
  try {
    (void)bind_listener("upstreams.billing.listen", where, count);
  } catch (const BindError& error) {
    return error.what();
  }
  return "";
}

TEST(Listeners, GiveEachWorkerASocketOfTheSamePort) {
  const auto bound = bind_listener("x", *Endpoint::parse(kAnyPort), 3);
  ASSERT_EQ(bound.sockets.size(), 3U);
  EXPECT_NE(bound.endpoint.port, 0);
  for (const auto& socket : bound.sockets) {
    EXPECT_EQ(listening_endpoint("x", "y", socket.get()), bound.endpoint);
    EXPECT_NE(::fcntl(socket.get(), F_GETFL) & O_NONBLOCK, 0);
    EXPECT_NE(::fcntl(socket.get(), F_GETFD) & FD_CLOEXEC, 0);
  }
}

TEST(Listeners, SpreadConnectionsOverTheWorkers) {
  const auto bound = bind_listener("x", *Endpoint::parse(kAnyPort), 2);
  std::vector<Descriptor> clients;
  std::array<int, 2> accepted{};
  for (int i = 0; i < 64; ++i) {
    Descriptor client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = loopback(bound.endpoint.port);
    ASSERT_EQ(::connect(client.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
              0);
    clients.push_back(std::move(client));
  }
  for (std::size_t worker = 0; worker < 2; ++worker) {
    while (Descriptor peer{::accept(bound.sockets[worker].get(), nullptr, nullptr)}) {
      ++accepted[worker];
      clients.push_back(std::move(peer));
    }
  }
  EXPECT_EQ(accepted[0] + accepted[1], 64);
  EXPECT_GT(accepted[0], 0);
  EXPECT_GT(accepted[1], 0);
}

TEST(Listeners, RefuseAPortThatIsTakenAlsoWhereItsHolderShares) {
  bool held = false;
  const Descriptor other = hold_shared(0, held);
  ASSERT_TRUE(held);
  const Endpoint taken = listening_endpoint("x", "y", other.get());
  for (const std::uint32_t workers : {1U, 4U}) {
    EXPECT_EQ(failure_of(taken, workers), "upstreams.billing.listen: " + taken.to_string() +
                                              " is taken (address already in use)");
  }
}

TEST(Listeners, OfOneWorkerAreNotShared) {
  const auto bound = bind_listener("x", *Endpoint::parse(kAnyPort), 1);
  bool shared = true;
  const Descriptor other = hold_shared(bound.endpoint.port, shared);
  EXPECT_FALSE(shared);
}

TEST(Listeners, RefuseAnAddressThatIsNotOurs) {
  EXPECT_THAT(failure_of(*Endpoint::parse("192.0.2.1:7001"), 1),
              HasSubstr("192.0.2.1:7001 is no address of this machine"));
}

TEST(Listeners, KeepIpv6ApartFromIpv4) {
  std::uint16_t port = 0;
  {
    const auto v6 = bind_listener("x", *Endpoint::parse("[::1]:0"), 1);
    port = v6.endpoint.port;
    EXPECT_TRUE(v6.endpoint.address.is_v6());
    EXPECT_NE(port, 0);
  }
  const auto any6 = bind_listener("x", *Endpoint::parse("[::]:0"), 2);
  const Endpoint same4{IpAddress::v4({127, 0, 0, 1}), any6.endpoint.port};
  EXPECT_NO_THROW((void)bind_listener("x", same4, 2));
}

config::Environment environment(std::map<std::string, std::string> values) {
  return [values = std::move(values)](std::string_view name) -> std::optional<std::string> {
    const auto found = values.find(std::string(name));
    return found == values.end() ? std::nullopt : std::optional(found->second);
  };
}

TEST(Inherited, SocketsAreFoundByNameAndDuplicatedForEachWorker) {
  const auto given = bind_listener("x", *Endpoint::parse(kAnyPort), 1);
  const int fd = given.sockets[0].get();
  const InheritedSockets inherited(
      environment({{"LISTEN_PID", "77"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "billing"}}), 77,
      fd);
  const auto taken = inherited.take("upstreams.b.listen", "billing", 2);
  ASSERT_EQ(taken.size(), 1U);
  EXPECT_EQ(taken[0].endpoint, given.endpoint);
  ASSERT_EQ(taken[0].sockets.size(), 2U);
  EXPECT_NE(taken[0].sockets[0].get(), fd);
}

TEST(Inherited, SocketsThatAreNotThereAreNamed) {
  const auto message = [](const InheritedSockets& inherited) -> std::string {
    try {
      (void)inherited.take("upstreams.b.listen", "billing", 1);
    } catch (const BindError& error) {
      return error.what();
    }
    return "";
  };
  const std::map<std::string, std::string> set{
      {"LISTEN_PID", "77"}, {"LISTEN_FDS", "2"}, {"LISTEN_FDNAMES", "web:"}};
  EXPECT_THAT(message(InheritedSockets(environment(set), 77, 1000)),
              HasSubstr("upstreams.b.listen: fd:billing was not inherited (LISTEN_FDNAMES has "
                        "web, unknown)"));
  EXPECT_THAT(message(InheritedSockets(environment(set), 78, 1000)),
              HasSubstr("no socket was handed to this process"));
}

TEST(Inherited, ASocketThatDoesNotListenIsRefused) {
  const Descriptor plain(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const InheritedSockets inherited(
      environment({{"LISTEN_PID", "77"}, {"LISTEN_FDS", "1"}, {"LISTEN_FDNAMES", "billing"}}), 77,
      plain.get());
  EXPECT_THROW((void)inherited.take("x", "billing", 1), BindError);
}

TEST(ServiceManager, GetsOneDatagram) {
  const Descriptor receiver(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const std::string name = "pilotfish-test-" + std::to_string(::getpid());
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(&address.sun_path[1], name.data(), name.size());  // abstract: no file
  ASSERT_EQ(::bind(receiver.get(), reinterpret_cast<const sockaddr*>(&address),
                   static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size())),
            0);
  EXPECT_TRUE(notify_service_manager(environment({{"NOTIFY_SOCKET", "@" + name}}), "READY=1"));
  std::array<char, 64> text{};
  const ssize_t size = ::recv(receiver.get(), text.data(), text.size(), 0);
  EXPECT_EQ(std::string(text.data(), static_cast<std::size_t>(size)), "READY=1");
}

TEST(ServiceManager, IsLeftAloneWhereThereIsNone) {
  EXPECT_FALSE(notify_service_manager(environment({}), "READY=1"));
  EXPECT_FALSE(
      notify_service_manager(environment({{"NOTIFY_SOCKET", std::string(200, 'x')}}), "READY=1"));
}

}  // namespace
}  // namespace pilotfish::app
