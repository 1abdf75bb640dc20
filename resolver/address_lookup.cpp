#include "resolver/address_lookup.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "net/notifier.hpp"

namespace pilotfish::resolver {
namespace {

constexpr std::size_t kAtATime = 16;  // questions of a family, so that a silent one holds up itself
constexpr std::uint16_t kNoError = 0;
constexpr std::uint16_t kNxdomain = 3;

/// Shared by the questions, of which some outlive the lookup.
struct Round {
  Round(net::Executor executor, NameTransport channels, std::shared_ptr<AddressMemory> known,
        std::vector<std::string> targets)
      : transport(std::move(channels)),
        memory(std::move(known)),
        round(*memory, std::move(targets), Clock::now()),
        settled(executor) {}

  NameTransport transport;
  std::shared_ptr<AddressMemory> memory;
  AddressRound round;
  net::Notifier settled;
};

net::Awaitable<FamilyAnswer> ask_one(const NameTransport& transport, std::string name,
                                     RecordType type, TimePoint deadline) {
  FamilyAnswer out;
  // At most the alias depth, and every answer has to lead on.
  for (std::size_t step = 0; step <= kMaxAliases; ++step) {
    const Question question{name, type};
    AskResult result = co_await transport.udp->ask(question, deadline);
    const auto* udp_answer = std::get_if<DnsAnswer>(&result);
    if (udp_answer != nullptr && udp_answer->truncated) {
      out.over_tcp = true;
      result = co_await transport.tcp->ask(question, deadline);
    }
    if (const auto* fault = std::get_if<AskFault>(&result)) {
      out.fault = result_of(*fault);
      co_return out;
    }
    auto& answer = std::get<DnsAnswer>(result);
    if (answer.rcode == kNxdomain) {
      out.nxdomain = true;
      co_return out;
    }
    if (answer.rcode != kNoError) {
      out.fault = LookupResult::kServfail;
      co_return out;
    }
    if (!answer.own_addresses.empty()) {
      out.addresses = std::move(answer.own_addresses);
      out.ttl = std::chrono::seconds(answer.ttl);
      co_return out;
    }
    if (answer.canonical == lower_case(name)) {
      co_return out;
    }
    name = std::move(answer.canonical);
  }
  out.fault = LookupResult::kServfail;  // it answers in time, and leads nowhere
  co_return out;
}

net::Awaitable<void> work(std::shared_ptr<Round> shared, Family family, TimePoint deadline) {
  const auto type = family == Family::kV4 ? RecordType::kA : RecordType::kAaaa;
  while (const auto ask = shared->round.next(family)) {
    auto name = shared->round.name(*ask);
    auto answer = co_await ask_one(shared->transport, std::move(name), type, deadline);
    shared->round.ended(*ask, std::move(answer));
    if (!shared->round.open()) {
      shared->settled.notify_all();
    }
  }
}

}  // namespace

net::Awaitable<AddressesFound> look_up_addresses(net::Executor executor, NameTransport transport,
                                                 std::shared_ptr<AddressMemory> memory,
                                                 std::vector<std::string> targets,
                                                 AddressLimits limits) {
  const auto at_a_time = std::min(kAtATime, targets.size());
  const auto shared = std::make_shared<Round>(executor, std::move(transport), std::move(memory),
                                              std::move(targets));
  for (std::size_t index = 0; index < at_a_time; ++index) {
    for (const auto family : {Family::kV4, Family::kV6}) {
      net::asio::co_spawn(executor, work(shared, family, limits.deadline), net::asio::detached);
    }
  }
  while (shared->round.open() && Clock::now() < limits.patience) {
    (void)co_await shared->settled.wait_until(limits.patience);
  }
  shared->round.patience_over();
  while (shared->round.open() && Clock::now() < limits.deadline) {
    (void)co_await shared->settled.wait_until(limits.deadline);
  }
  co_return shared->round.take(Clock::now());
}

}  // namespace pilotfish::resolver
