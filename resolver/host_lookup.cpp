// A and AAAA as a source: names of `hosts:`.
#include <utility>

#include "resolver/address_lookup.hpp"
#include "resolver/dns_lookup.hpp"

namespace pilotfish::resolver {

net::Awaitable<void> DnsLookup::ask_host(net::Executor executor) {
  // A family that is silent must not make the connection late that waits for this lookup.
  const AddressLimits limits{began_ + plan_.timeout * 3 / 4, began_ + plan_.timeout};
  auto transport = transport_;
  auto memory = memory_.addresses;
  std::vector<std::string> names{lower_case(plan_.name.text)};
  const auto found = co_await look_up_addresses(executor, std::move(transport), std::move(memory),
                                                std::move(names), limits);
  out_.over_tcp = found.over_tcp;
  out_.answer.transport = found.over_tcp ? Transport::kTcp : Transport::kUdp;
  const bool answered = found.ttl != Duration::max();
  if (!answered) {
    // What is remembered of a family that was silent is no answer.
    const auto absent = found.nxdomain > 0 ? LookupResult::kNxdomain : LookupResult::kEmpty;
    out_.answer.result =
        found.unknown.empty() ? found.fault.value_or(LookupResult::kTimeout) : absent;
    co_return;
  }
  const auto& [v4, v6] = found.unanswered;
  if (v4 + v6 > 0) {
    note(std::string(v4 > 0 ? "A" : "AAAA") + " was not answered: what was known of it stays");
  }
  for (const auto& [name, addresses] : found.addresses) {
    for (const auto& address : addresses) {
      auto& instance =
          out_.instances.emplace_back(Instance{Endpoint{address, plan_.name.port}, 1, 0, {}});
      instance.host = plan_.name.text;
    }
  }
  normalise(out_.instances);
  out_.answer.result = LookupResult::kOk;
  out_.answer.ttl = found.ttl;
  out_.answer.records = out_.instances.size();
}

}  // namespace pilotfish::resolver
