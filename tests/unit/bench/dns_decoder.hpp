#pragma once

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace pilotfish::bench::testing_dns {

/// A decoder that shares nothing with the encoder or with the resolver. Throws on bad bytes.
struct Record {
  std::string name;
  unsigned type = 0;
  unsigned klass = 0;
  std::uint32_t ttl = 0;
  std::string data;    ///< raw
  std::size_t at = 0;  ///< where the data begins in the message
  unsigned priority = 0;
  unsigned weight = 0;
  unsigned port = 0;
  std::string target;
};

class Decoded {
  std::span<const std::uint8_t> bytes_;  // first: the others are read from it

 public:
  explicit Decoded(std::span<const std::uint8_t> message)
      : bytes_(message), id(number(0, 2)), flags(number(2, 2)) {
    std::size_t p = 12;
    const unsigned counts[] = {number(4, 2), number(6, 2), number(8, 2), number(10, 2)};
    for (unsigned i = 0; i < counts[0]; ++i) {
      question = name(p);
      qtype = number(p, 2);
      p += 4;
    }
    for (unsigned i = 0; i < counts[1]; ++i) answers.push_back(record(p));
    for (unsigned i = 0; i < counts[2]; ++i) authority.push_back(record(p));
    for (unsigned i = 0; i < counts[3]; ++i) additional.push_back(record(p));
    if (p != bytes_.size()) throw std::runtime_error("bytes after the message");
  }

  [[nodiscard]] unsigned rcode() const { return flags & 15U; }
  [[nodiscard]] bool truncated() const { return (flags & 0x200U) != 0; }
  [[nodiscard]] bool authoritative() const { return (flags & 0x400U) != 0; }
  [[nodiscard]] bool has_opt() const {
    for (const auto& one : additional) {
      if (one.type == 41) return true;
    }
    return false;
  }

  unsigned id = 0;
  unsigned flags = 0;
  std::string question;
  unsigned qtype = 0;
  std::vector<Record> answers;
  std::vector<Record> authority;
  std::vector<Record> additional;

 private:
  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t size) const {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) value = value * 256 + byte(at + i);
    return value;
  }
  [[nodiscard]] unsigned byte(std::size_t at) const {
    if (at >= bytes_.size()) throw std::runtime_error("past the end");
    return bytes_[at];
  }
  std::string name(std::size_t& p) const {
    std::string text;
    std::size_t at = p;
    bool jumped = false;
    for (int hops = 0; hops < 128; ++hops) {
      const unsigned length = byte(at);
      if (length >= 0xc0) {
        if (!jumped) p = at + 2;
        jumped = true;
        at = (length - 0xc0) * 256 + byte(at + 1);
        continue;
      }
      if (length == 0) {
        if (!jumped) p = at + 1;
        return text;
      }
      if (!text.empty()) text += '.';
      for (unsigned i = 1; i <= length; ++i) text += static_cast<char>(byte(at + i));
      at += length + 1;
    }
    throw std::runtime_error("a loop of names");
  }
  Record record(std::size_t& p) const {
    Record one;
    one.name = name(p);
    one.type = number(p, 2);
    one.klass = number(p + 2, 2);
    one.ttl = number(p + 4, 4);
    const std::size_t length = number(p + 8, 2);
    one.at = p + 10;
    for (std::size_t i = 0; i < length; ++i) one.data += static_cast<char>(byte(one.at + i));
    p = one.at + length;
    if (one.type == 33) {
      one.priority = number(one.at, 2);
      one.weight = number(one.at + 2, 2);
      one.port = number(one.at + 4, 2);
      std::size_t q = one.at + 6;
      one.target = name(q);
      if (q != p) throw std::runtime_error("SRV data of the wrong length");
    }
    return one;
  }
};

/// A query as a client writes it.
inline std::vector<std::uint8_t> query(const std::string& name, unsigned type, unsigned edns = 0) {
  std::vector<std::uint8_t> bytes{
      0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, static_cast<std::uint8_t>(edns != 0 ? 1 : 0)};
  std::size_t start = 0;
  while (start < name.size()) {
    auto dot = name.find('.', start);
    if (dot == std::string::npos) dot = name.size();
    bytes.push_back(static_cast<std::uint8_t>(dot - start));
    bytes.insert(bytes.end(), name.begin() + static_cast<std::ptrdiff_t>(start),
                 name.begin() + static_cast<std::ptrdiff_t>(dot));
    start = dot + 1;
  }
  bytes.insert(bytes.end(), {0, 0, static_cast<std::uint8_t>(type), 0, 1});
  if (edns != 0) {
    bytes.insert(bytes.end(), {0, 0, 41, static_cast<std::uint8_t>(edns / 256),
                               static_cast<std::uint8_t>(edns % 256), 0, 0, 0, 0, 0, 0});
  }
  return bytes;
}

}  // namespace pilotfish::bench::testing_dns
