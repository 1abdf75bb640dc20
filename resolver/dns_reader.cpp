#include "resolver/dns_reader.hpp"

#include <algorithm>
#include <array>

namespace pilotfish::resolver {
namespace {

constexpr std::size_t kMaxName = 255;  // RFC 1035 2.3.4, length bytes and the root included
constexpr std::uint8_t kPointer = 0xc0;

bool is_plain(std::uint8_t byte) {
  return byte > 0x20 && byte < 0x7f && byte != '.' && byte != '\\';
}

char lower(std::uint8_t byte) {
  return static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 0x20 : byte);
}

}  // namespace

std::optional<std::uint16_t> DnsReader::u16() {
  if (left() < 2) {
    return std::nullopt;
  }
  const auto high = message_[offset_];
  const auto low = message_[offset_ + 1];
  offset_ += 2;
  return static_cast<std::uint16_t>((high << 8U) | low);
}

std::optional<std::uint32_t> DnsReader::u32() {
  const auto high = u16();
  const auto low = u16();
  if (!high || !low) {
    return std::nullopt;
  }
  return (std::uint32_t{*high} << 16U) | *low;
}

bool DnsReader::skip(std::size_t count) {
  if (left() < count) {
    return false;
  }
  offset_ += count;
  return true;
}

std::optional<IpAddress> DnsReader::v4() {
  std::array<std::uint8_t, 4> octets{};
  if (left() < octets.size()) {
    return std::nullopt;
  }
  std::ranges::copy(message_.subspan(offset_, octets.size()), octets.begin());
  offset_ += octets.size();
  return IpAddress::v4(octets);
}

std::optional<IpAddress> DnsReader::v6() {
  std::array<std::uint8_t, 16> octets{};
  if (left() < octets.size()) {
    return std::nullopt;
  }
  std::ranges::copy(message_.subspan(offset_, octets.size()), octets.begin());
  offset_ += octets.size();
  return IpAddress::v6(octets);
}

std::optional<WireName> DnsReader::name() {
  WireName out;
  std::size_t at = offset_;
  std::size_t length = 1;       // the root's byte
  std::size_t limit = offset_;  // a pointer has to lead before the part that holds it
  bool jumped = false;
  for (;;) {
    if (at >= message_.size()) {
      return std::nullopt;
    }
    const std::uint8_t head = message_[at];
    if ((head & kPointer) == kPointer) {
      if (at + 1 >= message_.size()) {
        return std::nullopt;
      }
      const std::size_t to = (std::size_t{head & 0x3fU} << 8U) | message_[at + 1];
      if (!jumped) {
        offset_ = at + 2;
        jumped = true;
      }
      if (to >= limit) {
        return std::nullopt;
      }
      limit = to;
      at = to;
      continue;
    }
    if ((head & kPointer) != 0) {  // 0x40 and 0x80: reserved label types
      return std::nullopt;
    }
    ++at;
    if (head == 0) {
      break;
    }
    length += std::size_t{head} + 1;
    if (length > kMaxName || message_.size() - at < head) {
      return std::nullopt;
    }
    if (!out.text.empty()) {
      out.text.push_back('.');
    }
    for (const auto byte : message_.subspan(at, head)) {
      out.usable = out.usable && is_plain(byte);
      out.text.push_back(lower(byte));
    }
    at += head;
  }
  if (!jumped) {
    offset_ = at;
  }
  return out;
}

}  // namespace pilotfish::resolver
