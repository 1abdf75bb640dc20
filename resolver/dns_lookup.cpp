#include "resolver/dns_lookup.hpp"

#include <algorithm>

#include "resolver/address_lookup.hpp"
#include "resolver/trim.hpp"

namespace pilotfish::resolver {
namespace {

using std::chrono_literals::operator""s;

constexpr Duration kTcpFirst = 60s;
constexpr Duration kNoTcp = 3s;

LookupResult result_of_code(std::uint16_t rcode) {
  switch (rcode) {
    case 0: return LookupResult::kOk;
    case 3: return LookupResult::kNxdomain;
    case 5: return LookupResult::kRefused;
    default: return LookupResult::kServfail;
  }
}

}  // namespace

void DnsLookup::note(std::string_view text) {
  auto& existing = out_.answer.note;
  if (!existing.empty()) {
    existing += "; ";
  }
  existing += text;
}

void DnsLookup::remember_tcp(std::size_t bytes) {
  memory_.tcp_worked = true;
  memory_.large = exceeds_udp(bytes);
  if (memory_.large) {
    memory_.tcp_first_until = Clock::now() + kTcpFirst;
  }
}

void DnsLookup::fail(AskFault fault) {
  out_.answer.result = result_of(fault);
}

net::Awaitable<AskResult> DnsLookup::ask_tcp_first(Question question) {
  out_.over_tcp = true;
  out_.answer.transport = Transport::kTcp;
  AskResult result = co_await transport_.tcp->ask(std::move(question), began_ + plan_.timeout);
  if (const auto* answer = std::get_if<DnsAnswer>(&result)) {
    remember_tcp(answer->bytes);
  } else if (std::get<AskFault>(result) != AskFault::kTimeout || !memory_.large) {
    memory_.tcp_first_until = {};  // a large set would only take longer over UDP
  }
  co_return result;
}

/// UDP ran out of time. Shortening a large set for UDP costs Consul more than our patience (0.3 s
/// for 1,200 instances, against 0.07 s over TCP), so a server that seems silent may be at that.
net::Awaitable<AskResult> DnsLookup::after_silence(Question question) {
  memory_.tcp_first_until = Clock::now() + kTcpFirst;  // the next lookup begins there
  if (memory_.asked) {
    co_return AskResult(AskFault::kTimeout);
  }
  // Nothing is known yet, so that nobody is better served by an early end.
  out_.over_tcp = true;
  AskResult result = co_await transport_.tcp->ask(std::move(question), began_ + plan_.timeout * 2);
  const auto* answer = std::get_if<DnsAnswer>(&result);
  if (answer == nullptr) {
    co_return AskResult(AskFault::kTimeout);
  }
  out_.answer.transport = Transport::kTcp;
  remember_tcp(answer->bytes);
  co_return result;
}

/// One SRV question, with TCP before or after as the rules of trimming want it.
net::Awaitable<AskResult> DnsLookup::ask_srv(std::string name) {
  const Question question{std::move(name), RecordType::kSrv};
  if (Clock::now() < memory_.tcp_first_until) {
    AskResult result = co_await ask_tcp_first(question);
    const auto* fault = std::get_if<AskFault>(&result);
    if (fault == nullptr || *fault != AskFault::kUnreachable) {
      co_return result;
    }
    note("TCP failed: asked over UDP");
  }
  out_.answer.transport = Transport::kUdp;
  AskResult result = co_await transport_.udp->ask(question, began_ + plan_.timeout);
  auto* answer = std::get_if<DnsAnswer>(&result);
  if (answer == nullptr) {
    if (std::get<AskFault>(result) == AskFault::kTimeout && !memory_.udp_whole) {
      result = co_await after_silence(question);
    }
    co_return result;
  }
  const bool trimmed = looks_trimmed(answer->bytes, answer->srv.size(), answer->has_opt);
  memory_.udp_whole = !trimmed && !answer->truncated;
  if (answer->truncated || (trimmed && Clock::now() >= memory_.no_tcp_until)) {
    DnsAnswer first = std::move(*answer);
    result = co_await confirm_over_tcp(question, std::move(first));
  } else if (trimmed) {
    note("looks trimmed, but TCP failed lately");
  }
  co_return result;
}

net::Awaitable<AskResult> DnsLookup::confirm_over_tcp(Question question, DnsAnswer answer) {
  out_.over_tcp = true;
  note(answer.truncated ? "truncated: asked again over TCP"
                        : "looks trimmed: asked again over TCP");
  AskResult result = co_await transport_.tcp->ask(std::move(question), began_ + plan_.timeout * 2);
  const auto* complete = std::get_if<DnsAnswer>(&result);
  if (complete != nullptr && !complete->truncated) {
    out_.answer.transport = Transport::kTcp;
    remember_tcp(complete->bytes);
    memory_.tcp_first_until = Clock::now() + kTcpFirst;
    co_return result;
  }
  if (!answer.truncated && !memory_.tcp_worked) {
    // Nothing says that it was trimmed, so it counts; TCP is left alone for a while, since a
    // filtered port would cost every lookup its whole time. Where TCP is known to work, a slow
    // registry must not halve the set: that is a failed lookup, as with TC.
    memory_.no_tcp_until = Clock::now() + kNoTcp;
    note("TCP failed: kept");
    co_return AskResult(std::move(answer));
  }
  partial_ = std::move(answer);
  co_return complete != nullptr ? AskResult(AskFault::kMalformed) : std::move(result);
}

net::Awaitable<bool> DnsLookup::complete() {
  if (completer_ == nullptr || !plan_.source) {
    co_return false;
  }
  const auto deadline = Clock::now() + plan_.timeout;
  auto instances = co_await completer_->complete(*plan_.source, plan_.name.tags, deadline);
  if (!instances) {
    note("the agent's API failed");
    co_return false;
  }
  out_.instances = std::move(*instances);
  out_.answer.transport = Transport::kApi;
  out_.answer.records = out_.instances.size();
  out_.answer.result = out_.instances.empty() ? LookupResult::kEmpty : LookupResult::kOk;
  co_return true;
}

net::Awaitable<AddressBook> DnsLookup::find_missing(std::vector<std::string> missing,
                                                    net::Executor executor) {
  // Whoever came as this began waits for the plan's timeout: a family that is silent must not make
  // his lookup late, but lost datagrams get repeated before (cares_channel.cpp).
  const auto patience = std::max(began_ + plan_.timeout * 3 / 4, Clock::now() + plan_.timeout / 4);
  const AddressLimits limits{patience, began_ + plan_.timeout * 2};
  auto transport = transport_;
  auto memory = memory_.addresses;
  auto found = co_await look_up_addresses(executor, std::move(transport), std::move(memory),
                                          std::move(missing), limits);
  out_.answer.ttl = std::min(out_.answer.ttl, found.ttl);
  if (!found.unknown.empty()) {
    note(std::to_string(found.unknown.size()) + " targets without an address");
  }
  const auto tell = [this](std::size_t targets, std::string_view type) {
    if (targets != 0) {
      note(std::to_string(targets) + " targets whose " + std::string(type) +
           " was not answered: what was known of it stays");
    }
  };
  const auto& [v4, v6] = found.unanswered;
  tell(v4, "A");
  tell(v6, "AAAA");
  address_fault_ = found.fault;
  co_return std::move(found.addresses);
}

net::Awaitable<void> DnsLookup::read(DnsAnswer answer, net::Executor executor) {
  out_.answer.result = result_of_code(answer.rcode);
  out_.answer.ttl = std::chrono::seconds(answer.ttl);
  out_.answer.records = answer.srv.size();
  if (out_.answer.result != LookupResult::kOk) {
    co_return;
  }
  const bool tcp = out_.answer.transport == Transport::kTcp;
  if (tcp && trimmed_over_tcp(answer.bytes, answer.srv.size())) {
    note("TCP answer at the registry's limit");
    const bool completed = co_await complete();
    if (completed) {
      co_return;
    }
    note("may be incomplete");
  }
  auto reading = read_srv(answer, plan_.consul_domain);
  if (reading.skipped != 0) {
    note(std::to_string(reading.skipped) + " records without a usable port or target");
  }
  if (reading.missing.empty()) {
    memory_.addresses->clear();
  } else {
    auto missing = std::move(reading.missing);
    const auto addresses = co_await find_missing(std::move(missing), executor);
    reading = read_srv(answer, plan_.consul_domain, addresses);
  }
  out_.instances = std::move(reading.instances);
  if (out_.instances.empty()) {
    out_.answer.result = address_fault_.value_or(LookupResult::kEmpty);
  }
}

net::Awaitable<void> DnsLookup::ask_service(net::Executor executor) {
  std::string name = plan_.name.text;
  for (std::size_t step = 0;; ++step) {
    AskResult result = co_await ask_srv(name);
    if (const auto* fault = std::get_if<AskFault>(&result)) {
      fail(*fault);
      co_return;
    }
    auto& answer = std::get<DnsAnswer>(result);
    const bool alias_only =
        answer.rcode == 0 && answer.srv.empty() && answer.canonical != lower_case(name);
    if (!alias_only) {
      DnsAnswer believed = std::move(answer);
      co_await read(std::move(believed), executor);
      co_return;
    }
    if (step == kMaxAliases) {
      fail(AskFault::kMalformed);
      note("CNAME chain too long");
      co_return;
    }
    name = answer.canonical;
  }
}

net::Awaitable<LookupOutcome> DnsLookup::run(net::Executor executor) {
  began_ = Clock::now();
  out_.answer.name = plan_.name.text;
  if (!plan_.name.askable) {
    note("cannot be written as a DNS name");
    out_.answer.result = LookupResult::kMalformed;
    (void)co_await complete();
    out_.answer.took = Clock::now() - began_;
    co_return std::move(out_);
  }
  if (plan_.name.port != 0) {
    co_await ask_host(executor);
  } else {
    co_await ask_service(executor);
  }
  const auto now = Clock::now();
  out_.ran_out = out_.answer.result == LookupResult::kTimeout ||
                 (is_failure(out_.answer.result) && now >= began_ + plan_.timeout);
  if (is_failure(out_.answer.result) && partial_) {
    out_.instances = read_srv(*partial_, plan_.consul_domain).instances;
    out_.answer.records = partial_->srv.size();
    note("TCP failed: only a part is known");
  }
  out_.answer.took = now - began_;
  memory_.asked = true;
  co_return std::move(out_);
}

}  // namespace pilotfish::resolver
