#include "resolver/address_lookup.hpp"

#include <algorithm>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <memory>

#include "net/notifier.hpp"

namespace pilotfish::resolver {
namespace {

constexpr std::size_t kAtATime = 16;  // targets; two questions each
constexpr std::uint16_t kNoError = 0;
constexpr std::uint16_t kNxdomain = 3;

struct Target {
  std::string name;
  std::vector<IpAddress> addresses;
  std::optional<AskFault> fault;
  Duration ttl = Duration::max();
};

/// Shared by the questions: outlives a caller that is destroyed while they run.
struct Round {
  explicit Round(net::Executor executor) : done(executor) {}
  std::vector<Target> targets;
  std::size_t next = 0;
  std::size_t running = 0;
  net::Notifier done;
};

net::Awaitable<void> ask_one(CaresChannel& udp, CaresChannel& tcp, Target& target, RecordType type,
                             TimePoint deadline) {
  // At most the alias depth, and every answer has to lead on.
  std::string name = target.name;
  for (std::size_t step = 0; step <= kMaxAliases; ++step) {
    const Question question{name, type};
    AskResult result = co_await udp.ask(question, deadline);
    const auto* udp_answer = std::get_if<DnsAnswer>(&result);
    if (udp_answer != nullptr && udp_answer->truncated) {
      result = co_await tcp.ask(question, deadline);
    }
    if (const auto* fault = std::get_if<AskFault>(&result)) {
      target.fault = *fault;
      co_return;
    }
    const auto& answer = std::get<DnsAnswer>(result);
    if (answer.rcode == kNxdomain) {
      co_return;
    }
    if (answer.rcode != kNoError) {
      target.fault = AskFault::kServfail;
      co_return;
    }
    const auto& found = answer.own_addresses;
    target.addresses.insert(target.addresses.end(), found.begin(), found.end());
    if (!found.empty()) {
      target.ttl = std::min<Duration>(target.ttl, std::chrono::seconds(answer.ttl));
    }
    if (!found.empty() || answer.canonical == lower_case(name)) {
      co_return;
    }
    name = answer.canonical;
  }
  target.fault = AskFault::kMalformed;
}

net::Awaitable<void> work(std::shared_ptr<Round> round, CaresChannel& udp, CaresChannel& tcp,
                          TimePoint deadline) {
  while (round->next < round->targets.size()) {
    auto& target = round->targets[round->next++];
    co_await ask_one(udp, tcp, target, RecordType::kA, deadline);
    co_await ask_one(udp, tcp, target, RecordType::kAaaa, deadline);
  }
  if (--round->running == 0) {
    round->done.notify_all();
  }
}

}  // namespace

net::Awaitable<AddressesFound> look_up_addresses(net::Executor executor, CaresChannel& udp,
                                                 CaresChannel& tcp,
                                                 std::vector<std::string> targets,
                                                 TimePoint deadline) {
  const auto round = std::make_shared<Round>(executor);
  for (auto& name : targets) {
    round->targets.push_back({.name = std::move(name)});
  }
  round->running = std::min(kAtATime * 2, round->targets.size());
  const auto workers = round->running;
  for (std::size_t index = 0; index < workers; ++index) {
    net::asio::co_spawn(executor, work(round, udp, tcp, deadline), net::asio::detached);
  }
  while (round->running != 0) {
    // Each question ends at the deadline by itself.
    (void)co_await round->done.wait_until(TimePoint::max());
  }
  AddressesFound out;
  for (auto& target : round->targets) {
    out.ttl = std::min(out.ttl, target.ttl);
    if (!target.addresses.empty()) {
      std::ranges::sort(target.addresses);
      out.addresses.emplace(std::move(target.name), std::move(target.addresses));
    } else if (target.fault) {
      out.fault = target.fault;
      out.failed.push_back(std::move(target.name));
    } else {
      out.unknown.push_back(std::move(target.name));
    }
  }
  co_return out;
}

}  // namespace pilotfish::resolver
