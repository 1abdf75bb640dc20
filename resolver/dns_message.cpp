#include "resolver/dns_message.hpp"

#include <algorithm>
#include <limits>
#include <optional>

#include "resolver/dns_reader.hpp"

namespace pilotfish::resolver {
namespace {

constexpr std::uint16_t kClassIn = 1;
constexpr std::uint16_t kResponseBit = 0x8000;
constexpr std::uint16_t kOpcodeBits = 0x7800;
constexpr std::uint16_t kTruncatedBit = 0x0200;
constexpr std::uint32_t kMaxTtl = 0x7fffffff;  // RFC 2181 8: above it counts as zero

struct Header {
  std::uint16_t flags = 0;
  std::size_t records = 0;
  std::uint16_t answers = 0;
};

struct Preamble {
  Header header;
  WireName name;
  std::uint16_t type = 0;
  std::uint16_t klass = 0;
};

std::optional<DnsFault> read_preamble(DnsReader& reader, Preamble& out) {
  const auto id = reader.u16();
  const auto flags = reader.u16();
  const auto questions = reader.u16();
  const auto answers = reader.u16();
  const auto authorities = reader.u16();
  const auto additional = reader.u16();
  if (!id || !additional) {
    return DnsFault::kShort;
  }
  if ((*flags & kResponseBit) == 0 || (*flags & kOpcodeBits) != 0 || *questions != 1) {
    return DnsFault::kNotAnAnswer;
  }
  out.header = {*flags, std::size_t{*answers} + *authorities + *additional, *answers};
  if (!reader.name(out.name)) {
    return DnsFault::kBadName;
  }
  const auto type = reader.u16();
  const auto klass = reader.u16();
  if (!type || !klass) {
    return DnsFault::kShort;
  }
  out.type = *type;
  out.klass = *klass;
  return std::nullopt;
}

/// A record as read, before it is known whether anybody asked for it.
struct Record {
  WireName owner;
  RecordType type{};
  std::uint16_t klass = 0;
  std::uint32_t ttl = 0;
  std::uint16_t priority = 0;  // SRV
  std::uint16_t weight = 0;
  std::uint16_t port = 0;
  WireName name;  // SRV, CNAME
  IpAddress address;
};

/// Reads the record's data; false where its length does not fit exactly.
bool read_data(DnsReader& reader, Record& record, std::uint16_t length) {
  if (reader.left() < length) {
    return false;
  }
  const auto end = reader.offset() + length;
  switch (record.type) {
    case RecordType::kSrv: {
      const auto priority = reader.u16();
      const auto weight = reader.u16();
      const auto port = reader.u16();
      if (!port || !reader.name(record.name)) {
        return false;
      }
      record.priority = *priority;
      record.weight = *weight;
      record.port = *port;
      break;
    }
    case RecordType::kCname: {
      if (!reader.name(record.name)) {
        return false;
      }
      break;
    }
    case RecordType::kA:
    case RecordType::kAaaa: {
      const auto address = record.type == RecordType::kA ? reader.v4() : reader.v6();
      if (!address) {
        return false;
      }
      record.address = *address;
      break;
    }
    default: (void)reader.skip(length); break;
  }
  return reader.offset() == end;
}

/// Collects records and decides at the end which of them answer the question.
class Assembly {
 public:
  Assembly(const Question& question, std::string_view name, DnsAnswer& out)
      : question_(question), name_(name), out_(out) {}

  std::optional<DnsFault> add(const Record& record, bool in_answers) {
    if (record.type == RecordType::kOpt) {
      out_.has_opt = true;
      out_.rcode = static_cast<std::uint16_t>(out_.rcode | ((record.ttl >> 24U) << 4U));
      return std::nullopt;
    }
    const bool asked = in_answers && record.type == question_.type;
    const bool known = record.type == RecordType::kA || record.type == RecordType::kAaaa ||
                       record.type == RecordType::kCname;
    if (!asked && !known) {
      return std::nullopt;
    }
    if (record.klass != kClassIn) {
      return in_answers ? std::optional(DnsFault::kWrongClass) : std::nullopt;
    }
    const auto ttl = record.ttl > kMaxTtl ? 0 : record.ttl;
    if (in_answers || record.type != RecordType::kCname) {
      ttl_ = std::min(ttl_, ttl);
    }
    if (asked) {
      if (!record.owner.usable()) {
        return DnsFault::kForeignOwner;
      }
      if (record.owner.text() == name_) {
        ++own_;
      } else {
        others_.emplace_back(record.owner.text());
      }
      if (record.type == RecordType::kSrv) {
        out_.srv.push_back({record.priority, record.weight, record.port,
                            std::string(record.name.text()), record.name.usable()});
      } else {
        out_.own_addresses.push_back(record.address);
      }
    } else if (record.owner.usable() && record.type == RecordType::kCname) {
      if (record.name.usable()) {
        out_.aliases.push_back({std::string(record.owner.text()), std::string(record.name.text())});
        alias_in_answers_ += in_answers ? 1 : 0;
      }
    } else if (record.owner.usable()) {
      out_.addresses.push_back({std::string(record.owner.text()), record.address});
    }
    return std::nullopt;
  }

  std::optional<DnsFault> finish() {
    out_.canonical = name_;
    // Aliases of the answer section come first in the list, and only they may redirect the name.
    for (std::size_t step = 0;; ++step) {
      const auto end = out_.aliases.begin() + static_cast<std::ptrdiff_t>(alias_in_answers_);
      const auto next = std::find_if(out_.aliases.begin(), end, [this](const Alias& alias) {
        return alias.owner == out_.canonical;
      });
      if (next == end) {
        break;
      }
      if (step == kMaxAliases) {
        return DnsFault::kAliasLoop;
      }
      out_.canonical = next->target;
    }
    const bool aliased = out_.canonical != name_;
    const bool foreign =
        (aliased && own_ != 0) ||
        std::ranges::any_of(others_, [this](const auto& owner) { return owner != out_.canonical; });
    if (foreign) {
      return DnsFault::kForeignOwner;
    }
    out_.ttl = ttl_ == std::numeric_limits<std::uint32_t>::max() ? 0 : ttl_;
    return std::nullopt;
  }

 private:
  const Question& question_;
  std::string_view name_;  // the question's, in lower case
  DnsAnswer& out_;
  std::size_t own_ = 0;              // records of the question's own name
  std::vector<std::string> others_;  // owners of the others
  std::size_t alias_in_answers_ = 0;
  std::uint32_t ttl_ = std::numeric_limits<std::uint32_t>::max();
};

std::optional<DnsFault> read_record(DnsReader& reader, Record& record) {
  if (!reader.name(record.owner)) {
    return DnsFault::kBadName;
  }
  const auto type = reader.u16();
  const auto klass = reader.u16();
  const auto ttl = reader.u32();
  const auto length = reader.u16();
  if (!type || !klass || !ttl || !length) {
    return DnsFault::kBadRecord;
  }
  record.type = static_cast<RecordType>(*type);
  record.klass = *klass;
  record.ttl = *ttl;
  return read_data(reader, record, *length) ? std::nullopt : std::optional(DnsFault::kBadRecord);
}

}  // namespace

std::string_view to_string(DnsFault fault) {
  switch (fault) {
    case DnsFault::kShort: return "message too short";
    case DnsFault::kNotAnAnswer: return "not an answer";
    case DnsFault::kOtherQuestion: return "answers another question";
    case DnsFault::kBadName: return "bad name";
    case DnsFault::kBadRecord: return "bad record";
    case DnsFault::kForeignOwner: return "records of another name";
    case DnsFault::kWrongClass: return "wrong class";
    case DnsFault::kAliasLoop: return "CNAME loop or chain too long";
    case DnsFault::kTrailing: return "bytes behind the last record";
  }
  return "unknown";
}

std::string lower_case(std::string_view text) {
  std::string out(text);
  for (auto& letter : out) {
    if (letter >= 'A' && letter <= 'Z') {
      letter = static_cast<char>(letter + 0x20);
    }
  }
  return out;
}

std::variant<Question, DnsFault> parse_question(std::span<const std::uint8_t> message) {
  DnsReader reader(message);
  Preamble preamble;
  if (const auto fault = read_preamble(reader, preamble)) {
    return *fault;
  }
  if (preamble.klass != kClassIn) {
    return DnsFault::kWrongClass;
  }
  return Question{std::string(preamble.name.text()), static_cast<RecordType>(preamble.type)};
}

std::variant<DnsAnswer, DnsFault> parse_answer(std::span<const std::uint8_t> message,
                                               const Question& question) {
  DnsReader reader(message);
  Preamble preamble;
  if (const auto fault = read_preamble(reader, preamble)) {
    return *fault;
  }
  const auto name = lower_case(question.name);
  if (!preamble.name.usable() || preamble.name.text() != name ||
      preamble.type != static_cast<std::uint16_t>(question.type) || preamble.klass != kClassIn) {
    return DnsFault::kOtherQuestion;
  }
  DnsAnswer out;
  out.bytes = message.size();
  out.rcode = preamble.header.flags & 0xfU;
  out.truncated = (preamble.header.flags & kTruncatedBit) != 0;
  Assembly assembly(question, name, out);
  constexpr std::size_t kLeastSrv = 18;  // bytes; a count may lie, the size does not
  out.srv.reserve(std::min<std::size_t>(preamble.header.answers, message.size() / kLeastSrv));
  Record record;
  for (std::size_t index = 0; index < preamble.header.records; ++index) {
    const auto fault = read_record(reader, record);
    if (fault && out.truncated) {
      break;  // cut in the middle, as TC says; the rest comes over TCP
    }
    if (fault) {
      return *fault;
    }
    if (const auto refused = assembly.add(record, index < preamble.header.answers)) {
      return *refused;
    }
  }
  if (!out.truncated && !reader.at_end()) {
    return DnsFault::kTrailing;
  }
  if (const auto fault = assembly.finish()) {
    return *fault;
  }
  return out;
}

}  // namespace pilotfish::resolver
