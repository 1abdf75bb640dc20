#include "bench/harness/dns_answer.hpp"

#include <algorithm>

namespace pilotfish::bench {
namespace {

constexpr unsigned kSrv = 33;

/// Reads big-endian numbers; past the end it stays `broken` and yields zeros.
class Cursor {
 public:
  explicit Cursor(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  unsigned number(std::size_t size) {
    unsigned value = 0;
    for (const auto byte : take(size)) value = value << 8U | byte;
    return value;
  }
  std::span<const std::uint8_t> take(std::size_t size) {
    broken = broken || size > rest_.size();
    if (broken) return {};
    const auto taken = rest_.first(size);
    rest_ = rest_.subspan(size);
    return taken;
  }
  /// A pointer ends a name where it stands; what it points to matters to nobody here.
  void skip_name() {
    while (!broken) {
      const unsigned length = number(1);
      if (length == 0) return;
      if (length >= 0xc0) {
        take(1);
        return;
      }
      take(length);
    }
  }

  bool broken = false;

 private:
  std::span<const std::uint8_t> rest_;
};

}  // namespace

std::vector<std::uint8_t> srv_question(std::uint16_t id, std::string_view name,
                                       std::uint16_t edns_size) {
  std::vector<std::uint8_t> bytes{static_cast<std::uint8_t>(id >> 8U),
                                  static_cast<std::uint8_t>(id),
                                  1,  // recursion desired
                                  0,
                                  0,
                                  1,
                                  0,
                                  0,
                                  0,
                                  0,
                                  0,
                                  static_cast<std::uint8_t>(edns_size != 0 ? 1 : 0)};
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    bytes.push_back(static_cast<std::uint8_t>(std::min<std::size_t>(label.size(), 63)));
    bytes.insert(bytes.end(), label.begin(), label.end());
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  bytes.insert(bytes.end(), {0, 0, kSrv, 0, 1});
  if (edns_size != 0) {
    bytes.insert(bytes.end(), {0, 0, 41, static_cast<std::uint8_t>(edns_size >> 8U),
                               static_cast<std::uint8_t>(edns_size), 0, 0, 0, 0, 0, 0});
  }
  return bytes;
}

std::optional<SrvAnswer> parse_srv_answer(std::span<const std::uint8_t> bytes) {
  Cursor cursor(bytes);
  SrvAnswer answer;
  answer.id = static_cast<std::uint16_t>(cursor.number(2));
  const unsigned flags = cursor.number(2);
  const unsigned questions = cursor.number(2);
  const unsigned answers = cursor.number(2);
  cursor.take(4);
  if (cursor.broken || (flags & 0x8000U) == 0) return std::nullopt;
  answer.rcode = flags & 15U;
  answer.truncated = (flags & 0x200U) != 0;
  for (unsigned i = 0; i < questions && !cursor.broken; ++i) {
    cursor.skip_name();
    cursor.take(4);
  }
  for (unsigned i = 0; i < answers && !cursor.broken; ++i) {
    cursor.skip_name();
    const unsigned type = cursor.number(2);
    cursor.take(6);
    const auto data = cursor.take(cursor.number(2));
    if (type != kSrv || data.size() < 7) continue;
    answer.ports.push_back(static_cast<std::uint16_t>(data[4] << 8U | data[5]));
  }
  if (cursor.broken) return std::nullopt;
  return answer;
}

}  // namespace pilotfish::bench
