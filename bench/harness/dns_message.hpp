#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "core/ip_address.hpp"

namespace pilotfish::bench {

/// The small part of DNS that an authoritative server of SRV records needs (RFC 1035, 2782, 6891).
/// Pure: bytes in, bytes out. Deliberately independent of the resolver's decoder, so that one
/// cannot hide the other's mistakes.

enum class DnsType : std::uint16_t {
  kA = 1,
  kSoa = 6,
  kAaaa = 28,
  kSrv = 33,
  kOpt = 41,
  kAny = 255,
};

enum class DnsRcode : std::uint8_t {
  kNoError = 0,
  kFormatError = 1,
  kServerFailure = 2,
  kNameError = 3,
  kNotImplemented = 4,
  kRefused = 5,
};

struct DnsQuery {
  std::uint16_t id = 0;
  std::uint8_t opcode = 0;
  bool recursion_desired = false;
  bool malformed = false;  ///< answer FORMERR; nothing below the opcode is set
  std::string name;        ///< as asked, case kept, no trailing dot
  DnsType type = DnsType::kA;
  std::uint16_t klass = 1;
  std::optional<std::uint16_t> edns_size;  ///< the size the client advertised, at least 512
};

/// Empty where not even an error can be sent back: shorter than a header, or itself an answer.
[[nodiscard]] std::optional<DnsQuery> parse_query(std::span<const std::uint8_t> bytes);

struct SrvData {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;
};
struct SoaData {
  std::string primary;
  std::string mailbox;
  std::uint32_t serial = 1;
};

/// The type follows from the data.
struct DnsRecord {
  std::string name;
  std::uint32_t ttl = 0;
  std::variant<SrvData, IpAddress, SoaData> data;
};

struct DnsMessage {
  DnsQuery query;  ///< echoed: id, question, recursion desired; OPT is sent where it was asked with
  DnsRcode rcode = DnsRcode::kNoError;
  bool authoritative = true;
  bool truncated = false;
  std::vector<DnsRecord> answers;
  std::vector<DnsRecord> authority;
  std::vector<DnsRecord> additional;
};

/// Owner names and SOA names are compressed; SRV targets are not (RFC 2782). Labels above 63 and
/// names above 255 bytes must not be passed.
[[nodiscard]] std::vector<std::uint8_t> encode(const DnsMessage& message);

}  // namespace pilotfish::bench
