#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/harness/catalogue.hpp"
#include "bench/harness/dns_message.hpp"
#include "core/random.hpp"

namespace pilotfish::bench {

enum class DnsTransport : std::uint8_t { kUdp, kTcp };

/// What happens to an answer that is too large for the client.
enum class TrimStyle : std::uint8_t {
  kTruncate,  ///< as many records as fit, and TC: what a DNS server should do
  /// As many as fit and no TC, what Consul does with its defaults: over UDP without EDNS (or with
  /// exactly 512) at most 3 records, over TCP at most 1024; ADDITIONAL follows the kept ones.
  kSilent,
};

struct DnsZoneOptions {
  std::string domain = "consul";
  std::string datacenter = "dc1";
  std::uint32_t ttl = 0;  ///< seconds
  TrimStyle trim = TrimStyle::kTruncate;
  bool shuffle = true;
  bool additional = true;  ///< A and AAAA of the targets in the same answer
};

/// The answer of a registry with this content, in Consul's naming: `svc.service[.dc].consul`,
/// `tag.svc.service.consul`, `_svc._tag.service.consul`, `<hex>.addr.dc1.consul`, and services that
/// are registered under a whole name. No healthy instance and an unknown name are NXDOMAIN alike;
/// a name of nobody's is refused. Pure.
[[nodiscard]] DnsMessage answer_query(const Catalogue& catalogue, const DnsQuery& query,
                                      const DnsZoneOptions& options, Random& random);

/// Encodes within the limits of transport, client and style.
[[nodiscard]] std::vector<std::uint8_t> encode_within(DnsMessage message, DnsTransport transport,
                                                      TrimStyle trim);

/// `0a000001.addr.dc1.consul`.
[[nodiscard]] std::string address_name(const IpAddress& address, const DnsZoneOptions& options);

}  // namespace pilotfish::bench
