#include "bench/harness/dns_message.hpp"

#include <map>
#include <string_view>

#include "bench/harness/catalogue.hpp"

namespace pilotfish::bench {
namespace {

constexpr std::size_t kHeaderSize = 12;
constexpr std::uint16_t kClassIn = 1;

class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool u8(std::uint8_t& value) {
    if (at_ >= bytes_.size()) return false;
    value = bytes_[at_++];
    return true;
  }
  bool u16(std::uint16_t& value) {
    std::uint8_t high = 0;
    std::uint8_t low = 0;
    if (!u8(high) || !u8(low)) return false;
    value = static_cast<std::uint16_t>((high << 8U) | low);
    return true;
  }
  bool skip(std::size_t count) {
    if (bytes_.size() - at_ < count) return false;
    at_ += count;
    return true;
  }
  /// Queries carry no compression worth the name; a pointer is malformed here, and so is a dot
  /// within a label, which our names as text could not tell from one between labels.
  bool name(std::string& result) {
    for (;;) {
      std::uint8_t length = 0;
      if (!u8(length) || length > 63) return false;
      if (length == 0) return true;
      if (bytes_.size() - at_ < length || result.size() + length > 254) return false;
      if (!result.empty()) result += '.';
      for (std::uint8_t i = 0; i < length; ++i) {
        const char c = static_cast<char>(bytes_[at_ + i]);
        if (c == '.') return false;
        result += c;
      }
      at_ += length;
    }
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

class Writer {
 public:
  void u8(unsigned value) { out.push_back(static_cast<std::uint8_t>(value)); }
  void u16(unsigned value) {
    u8((value >> 8U) & 0xffU);
    u8(value & 0xffU);
  }
  void u32(std::uint32_t value) {
    u16(value >> 16U);
    u16(value & 0xffffU);
  }

  void name(std::string_view text, bool may_point) {
    while (!text.empty()) {
      const auto suffix = canonical_name(text);
      const auto known = suffixes_.find(suffix);
      if (may_point && known != suffixes_.end()) {
        u16(0xc000U | known->second);
        return;
      }
      if (out.size() < 0x4000U) suffixes_.emplace(suffix, static_cast<unsigned>(out.size()));
      const auto label = text.substr(0, text.find('.'));
      u8(static_cast<unsigned>(label.size()));
      out.insert(out.end(), label.begin(), label.end());
      text.remove_prefix(label.size() == text.size() ? label.size() : label.size() + 1);
    }
    u8(0);
  }

  void record(const DnsRecord& record) {
    name(record.name, true);
    const auto head = [&](DnsType type) {
      u16(static_cast<unsigned>(type));
      u16(kClassIn);
      u32(record.ttl);
      u16(0);
      return out.size();
    };
    std::size_t start = 0;
    if (const auto* srv = std::get_if<SrvData>(&record.data)) {
      start = head(DnsType::kSrv);
      u16(srv->priority);
      u16(srv->weight);
      u16(srv->port);
      name(srv->target, false);
    } else if (const auto* address = std::get_if<IpAddress>(&record.data)) {
      start = head(address->is_v4() ? DnsType::kA : DnsType::kAaaa);
      for (const auto octet : address->octets()) u8(octet);
    } else if (const auto* soa = std::get_if<SoaData>(&record.data)) {
      start = head(DnsType::kSoa);
      name(soa->primary, true);
      name(soa->mailbox, true);
      u32(soa->serial);
      for (const std::uint32_t value : {3600U, 600U, 86400U, 0U}) u32(value);
    }
    const auto length = out.size() - start;
    out[start - 2] = static_cast<std::uint8_t>(length >> 8U);
    out[start - 1] = static_cast<std::uint8_t>(length & 0xffU);
  }

  std::vector<std::uint8_t> out;

 private:
  std::map<std::string, unsigned> suffixes_;
};

bool read_question(Reader& reader, DnsQuery& query, std::uint16_t additional) {
  std::uint16_t type = 0;
  if (!reader.name(query.name) || !reader.u16(type) || !reader.u16(query.klass)) return false;
  query.type = static_cast<DnsType>(type);
  for (; additional != 0; --additional) {
    std::string owner;
    std::uint16_t klass = 0;
    std::uint16_t length = 0;
    if (!reader.name(owner) || !reader.u16(type) || !reader.u16(klass) || !reader.skip(4) ||
        !reader.u16(length) || !reader.skip(length)) {
      return false;
    }
    if (static_cast<DnsType>(type) == DnsType::kOpt) {
      query.edns_size = klass < 512 ? std::uint16_t{512} : klass;
    }
  }
  return true;
}

}  // namespace

std::optional<DnsQuery> parse_query(std::span<const std::uint8_t> bytes) {
  if (bytes.size() < kHeaderSize) return std::nullopt;
  Reader reader(bytes);
  DnsQuery query;
  std::uint16_t flags = 0;
  std::uint16_t questions = 0;
  std::uint16_t answers = 0;
  std::uint16_t authority = 0;
  std::uint16_t additional = 0;
  reader.u16(query.id);
  reader.u16(flags);
  reader.u16(questions);
  reader.u16(answers);
  reader.u16(authority);
  reader.u16(additional);
  if ((flags & 0x8000U) != 0) return std::nullopt;
  query.opcode = static_cast<std::uint8_t>((flags >> 11U) & 0xfU);
  query.recursion_desired = (flags & 0x0100U) != 0;
  if (questions != 1 || answers != 0 || authority != 0 ||
      !read_question(reader, query, additional)) {
    query.malformed = true;
    query.name.clear();
    query.edns_size.reset();
  }
  return query;
}

std::vector<std::uint8_t> encode(const DnsMessage& message) {
  Writer writer;
  const auto& query = message.query;
  writer.u16(query.id);
  writer.u16(0x8000U | (unsigned{query.opcode} << 11U) | (message.authoritative ? 0x0400U : 0U) |
             (message.truncated ? 0x0200U : 0U) | (query.recursion_desired ? 0x0100U : 0U) |
             static_cast<unsigned>(message.rcode));
  writer.u16(query.malformed ? 0 : 1);
  writer.u16(static_cast<unsigned>(message.answers.size()));
  writer.u16(static_cast<unsigned>(message.authority.size()));
  writer.u16(static_cast<unsigned>(message.additional.size() + (query.edns_size ? 1 : 0)));
  if (!query.malformed) {
    writer.name(query.name, true);
    writer.u16(static_cast<unsigned>(query.type));
    writer.u16(query.klass);
  }
  for (const auto& record : message.answers) writer.record(record);
  for (const auto& record : message.authority) writer.record(record);
  for (const auto& record : message.additional) writer.record(record);
  if (query.edns_size) {
    writer.u8(0);
    writer.u16(static_cast<unsigned>(DnsType::kOpt));
    writer.u16(65467);  // what we would take ourselves
    writer.u32(0);
    writer.u16(0);
  }
  return std::move(writer.out);
}

}  // namespace pilotfish::bench
