#pragma once

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <chrono>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "resolver/service_resolver.hpp"
#include "tests/support/fake_dns_server.hpp"

namespace pilotfish::resolver {

using test::Bytes;
using test::DnsAction;
using test::DnsBuilder;
using test::DnsQuery;
using test::FakeDnsServer;
using namespace std::chrono_literals;

inline constexpr std::uint16_t kSrvType = 33;
inline constexpr std::uint16_t kAType = 1;

class SilentLogger final : public Logger {
 public:
  void log(LogLevel, std::string_view message, std::initializer_list<LogField>) override {
    messages.emplace_back(message);
  }
  std::vector<std::string> messages;
};

/// `count` instances 10.9.x.y:8000 as Consul would write them, addresses in ADDITIONAL.
inline Bytes consul_answer(const DnsQuery& query, std::size_t count, std::size_t first = 0) {
  auto reply = query.reply();
  reply.compress();
  const auto name = [](std::size_t index) { return "n" + std::to_string(index) + ".node"; };
  for (std::size_t index = first; index < first + count; ++index) {
    reply.srv(query.name, 1, 1, 8000, name(index));
  }
  reply.additional();
  for (std::size_t index = first; index < first + count; ++index) {
    const auto high = static_cast<std::uint8_t>(index / 250);
    const auto low = static_cast<std::uint8_t>(index % 250 + 1);
    reply.address(name(index), IpAddress::v4({10, 9, high, low}));
  }
  if (query.edns_size != 0) {
    reply.opt();
  }
  return reply.build();
}

/// A ServiceResolver on this thread's loop against fake servers.
class ResolverTest : public testing::Test {
 protected:
  void TearDown() override {
    if (resolver) {
      resolver->stop();
    }
    resolver.reset();
    dns.reset();
    io.restart();
    io.run_for(50ms);
  }

  void consul(const FakeDnsServer& server, std::vector<ConsulTier> tiers = {{}}) {
    make(ConsulSource{"billing", "", std::move(tiers)}, server.endpoint());
  }

  void srv(std::vector<Endpoint> servers, std::vector<std::string> names = {"_web._tcp.local"}) {
    make(SrvSource{std::move(names), std::move(servers)}, {});
  }

  void make(Source source, Endpoint server) {
    dns.emplace(io, ConsulDns{server, "consul"}, 1, logger, completer, 1);
    resolver.emplace(*dns, std::move(source), freshness, lookup, hooks());
    resolver->start();
  }

  ServiceResolver::Hooks hooks() {
    return {
        [this](std::size_t tier, const TierAnswer& answer) { answers.emplace_back(tier, answer); },
        [this](const NameAnswer& answer) { lookups.push_back(answer); }, [this] { ++stale; }};
  }

  template <class Condition>
  bool run_until(Condition condition, Duration limit = 5s) {
    const auto end = Clock::now() + limit;
    io.restart();
    while (!condition() && Clock::now() < end) {
      io.run_one_for(10ms);
      io.restart();
    }
    return condition();
  }

  bool run_first_round() {
    return run_until([this] { return resolver->first_round_done(); });
  }

  /// Arrives and waits; the connection's view of it all.
  std::optional<ServiceResolver::Wait> connect(std::size_t last_tier = 0) {
    const auto ticket = resolver->arrive(0, last_tier, Clock::now());
    std::optional<ServiceResolver::Wait> out;
    net::asio::co_spawn(io.get_executor(), resolver->wait(ticket),
                        [&out](std::exception_ptr, ServiceResolver::Wait wait) { out = wait; });
    run_until([&out] { return out.has_value(); });
    return out;
  }

  const TierAnswer& answer(std::size_t tier = 0) { return resolver->last_answers().at(tier); }

  net::IoContext io{1};
  SilentLogger logger;
  Completer* completer = nullptr;
  Freshness freshness = Freshness::kConnection;
  LookupOptions lookup;
  std::optional<DnsService> dns;
  std::optional<ServiceResolver> resolver;
  std::vector<std::pair<std::size_t, TierAnswer>> answers;
  std::vector<NameAnswer> lookups;
  int stale = 0;
};

}  // namespace pilotfish::resolver
