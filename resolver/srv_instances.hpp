#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/instance.hpp"
#include "resolver/dns_message.hpp"

namespace pilotfish::resolver {

/// Addresses per SRV target, by lower-case name.
using AddressBook = std::map<std::string, std::vector<IpAddress>, std::less<>>;

/// What an SRV answer says about instances (RFC 2782). An address and port that comes twice counts
/// once: with the first weight, and in Consul's answers, whose order is chance, as best_first()
/// says. Pure.
struct SrvReading {
  InstanceList instances;            ///< one per record and address, normalised, without tags
  std::vector<std::string> missing;  ///< targets without an address, each once
  std::size_t skipped = 0;           ///< port 0, or a target that is no host name
};

/// `consul_domain` enables decoding of `<hex>.addr.<dc>.<domain>`; empty for other sources.
/// Addresses come from the answer, for its own targets only and through at most 8 of its CNAMEs,
/// and else from `looked_up`. Call again with a fuller book once the missing ones are looked up.
[[nodiscard]] SrvReading read_srv(const DnsAnswer& answer, std::string_view consul_domain,
                                  const AddressBook& looked_up = {});

/// The address in `0a000001.addr.dc1.consul` (8 hex digits, or 32 for IPv6). Both in lower case.
[[nodiscard]] std::optional<IpAddress> decode_addr_name(std::string_view target,
                                                        std::string_view consul_domain);

}  // namespace pilotfish::resolver
