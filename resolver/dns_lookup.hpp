#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/asio.hpp"
#include "resolver/address_memory.hpp"
#include "resolver/cares_channel.hpp"
#include "resolver/service_resolver.hpp"
#include "resolver/srv_instances.hpp"
#include "resolver/tier_names.hpp"

namespace pilotfish::resolver {

/// What one name is asked as, and by whom it can be completed.
struct LookupPlan {
  TierName name;
  Duration timeout{};
  std::string consul_domain;           ///< enables `<hex>.addr` decoding; empty for srv: sources
  std::optional<ConsulSource> source;  ///< of a consul: source, for the completer
};

/// What a name remembers between its lookups.
struct LookupMemory {
  TimePoint tcp_first_until{};  ///< an answer was trimmed: TCP first for 60 s
  TimePoint no_tcp_until{};     ///< TCP failed where it was only a precaution
  bool tcp_worked = false;      ///< so that TCP's failure is the server's, not a firewall's
  bool large = false;           ///< the last TCP answer would not fit into UDP
  bool asked = false;           ///< an earlier lookup ended
  bool udp_whole = false;       ///< the last UDP answer was there in time and not shortened
  /// Of targets that have to be looked up.
  std::shared_ptr<AddressMemory> addresses = std::make_shared<AddressMemory>();
};

struct LookupOutcome {
  NameAnswer answer;
  InstanceList instances;   ///< also where `answer.result` is a failure: the part that came with TC
  bool ran_out = false;     ///< it ended because time did
  bool over_tcp = false;    ///< TCP was asked
  bool confirmed = false;   ///< an absence of which the agent's API knows, too
  bool by_verdict = false;  ///< the agent's API said otherwise than DNS, perhaps a while ago
};

/// Performs one lookup of one name. A and AAAA of a name of `hosts:`; else SRV over UDP, over TCP
/// where the answer is cut or looks so, the CNAME's end where only an alias came, A and AAAA of
/// targets without an address, and the completer where TCP is trimmed too. Ends within twice the
/// plan's timeout (completion by the API: three times). Arguments outlive the coroutine.
/// Thread-safety: none; one executor.
class DnsLookup {
 public:
  DnsLookup(const LookupPlan& plan, LookupMemory& memory, const NameTransport& transport,
            Completer* completer)
      : plan_(plan), memory_(memory), transport_(transport), completer_(completer) {}

  [[nodiscard]] net::Awaitable<LookupOutcome> run(net::Executor executor);

 private:
  [[nodiscard]] net::Awaitable<AskResult> ask_srv(std::string name);
  [[nodiscard]] net::Awaitable<AskResult> ask_tcp_first(Question question);
  [[nodiscard]] net::Awaitable<AskResult> after_silence(Question question);
  [[nodiscard]] net::Awaitable<AskResult> confirm_over_tcp(Question question, DnsAnswer answer);
  [[nodiscard]] net::Awaitable<void> read(DnsAnswer answer, net::Executor executor);
  [[nodiscard]] net::Awaitable<AddressBook> find_missing(std::vector<std::string> missing,
                                                         net::Executor executor);
  /// A name of `hosts:` (host_lookup.cpp): its addresses are the instances. Where neither family
  /// answers the lookup has failed; where one does, it counts, beside what was known of the other.
  [[nodiscard]] net::Awaitable<void> ask_host(net::Executor executor);
  [[nodiscard]] net::Awaitable<void> ask_service(net::Executor executor);
  [[nodiscard]] net::Awaitable<bool> complete();
  void remember_tcp(std::size_t bytes);
  void fail(AskFault fault);
  void note(std::string_view text);

  const LookupPlan& plan_;
  LookupMemory& memory_;
  const NameTransport& transport_;
  Completer* completer_;
  TimePoint began_{};
  std::optional<DnsAnswer> partial_;
  std::optional<LookupResult> address_fault_;  // a target without any known address
  LookupOutcome out_;
};

}  // namespace pilotfish::resolver
