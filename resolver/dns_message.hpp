#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/ip_address.hpp"

namespace pilotfish::resolver {

/// Record types this program asks for or reads (RFC 1035, 2782, 3596, 6891).
enum class RecordType : std::uint16_t {
  kA = 1,
  kCname = 5,
  kAaaa = 28,
  kSrv = 33,
  kOpt = 41,
};

/// What was asked. `name` is dotted text without the root's dot, compared without regard to case.
struct Question {
  std::string name;
  RecordType type = RecordType::kSrv;
  friend bool operator==(const Question&, const Question&) = default;
};

struct SrvRecord {
  std::uint16_t priority = 0;
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  std::string target;  ///< lower case; empty for "." (RFC 2782: decidedly not available)
  bool usable = true;  ///< false where the target holds bytes no host name has
};

struct AddressRecord {
  std::string owner;  ///< lower case
  IpAddress address;
};

struct Alias {
  std::string owner;
  std::string target;
};

/// A believed answer. Records of the question's type come from the answer section and belong to
/// the question's name or to the end of its CNAME chain; addresses and aliases from every section.
struct DnsAnswer {
  std::uint16_t rcode = 0;  ///< extended by OPT where there is one
  bool truncated = false;
  bool has_opt = false;
  std::size_t bytes = 0;
  std::string canonical;  ///< the end of the CNAME chain; the question's own name without one
  std::vector<SrvRecord> srv;
  std::vector<IpAddress> own_addresses;  ///< for A and AAAA questions
  std::vector<AddressRecord> addresses;
  std::vector<Alias> aliases;
  std::uint32_t ttl = 0;  ///< seconds, the lowest of the records used
};

/// Why a message is not believed.
enum class DnsFault : std::uint8_t {
  kShort,        ///< no whole header or question
  kNotAnAnswer,  ///< QR, opcode or the number of questions
  kOtherQuestion,
  kBadName,       ///< label type, pointer, length
  kBadRecord,     ///< RDLENGTH, or it runs past the end
  kForeignOwner,  ///< a record of the asked type that nobody asked for
  kWrongClass,
  kAliasLoop,  ///< CNAME loop, or a chain of more than 8
  kTrailing,   ///< bytes beyond the counted records
};
[[nodiscard]] std::string_view to_string(DnsFault fault);

inline constexpr std::size_t kMaxAliases = 8;

/// Reads one raw message as the answer to `question`. Every length is checked; pointers lead only
/// backwards, so that no message loops. A message with TC yields what could be read before its cut.
/// Pure. c-ares 1.18.1 does not check most of this, and drops TTLs and additional records.
[[nodiscard]] std::variant<DnsAnswer, DnsFault> parse_answer(std::span<const std::uint8_t> message,
                                                             const Question& question);

/// Reads the question of a message with the header of an answer, or says why it has none.
[[nodiscard]] std::variant<Question, DnsFault> parse_question(
    std::span<const std::uint8_t> message);

/// Lower-cases ASCII letters.
[[nodiscard]] std::string lower_case(std::string_view text);

}  // namespace pilotfish::resolver
