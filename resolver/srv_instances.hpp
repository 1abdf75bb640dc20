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

/// What an SRV answer says about instances (RFC 2782). Pure.
struct SrvReading {
  /// Records whose target is neither "." nor unusable, with a port.
  std::vector<SrvRecord> records;
  AddressBook addresses;             ///< of those targets that need no further lookup
  std::vector<std::string> missing;  ///< targets without an address yet, each once
  std::size_t skipped = 0;           ///< port 0, or a target that is no host name
};

/// `consul_domain` enables decoding of `<hex>.addr.<dc>.<domain>`; empty for other sources.
/// Only addresses of this answer's own targets are used, through at most 8 CNAMEs of the answer.
[[nodiscard]] SrvReading read_srv(const DnsAnswer& answer, std::string_view consul_domain);

/// One instance per record and address, normalised, without tags (the tier puts its own). Targets
/// that the book does not have give none.
[[nodiscard]] InstanceList to_instances(const std::vector<SrvRecord>& records,
                                        const AddressBook& addresses);

/// The address in `0a000001.addr.dc1.consul` (8 hex digits, or 32 for IPv6).
[[nodiscard]] std::optional<IpAddress> decode_addr_name(std::string_view target,
                                                        std::string_view consul_domain);

}  // namespace pilotfish::resolver
