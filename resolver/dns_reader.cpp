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

template <class Label>
bool DnsReader::walk_name(Label label) {
  std::size_t at = offset_;
  std::size_t length = 1;       // the root's byte
  std::size_t limit = offset_;  // a pointer has to lead before the part that holds it
  bool jumped = false;
  for (;;) {
    if (at >= message_.size()) {
      return false;
    }
    const std::uint8_t head = message_[at];
    if ((head & kPointer) == kPointer) {
      if (at + 1 >= message_.size()) {
        return false;
      }
      const std::size_t to = (std::size_t{head & 0x3fU} << 8U) | message_[at + 1];
      if (!jumped) {
        offset_ = at + 2;
        jumped = true;
      }
      if (to >= limit) {
        return false;
      }
      limit = to;
      at = to;
      continue;
    }
    if ((head & kPointer) != 0) {  // 0x40 and 0x80: reserved label types
      return false;
    }
    ++at;
    if (head == 0) {
      break;
    }
    length += std::size_t{head} + 1;
    if (length > kMaxName || message_.size() - at < head) {
      return false;
    }
    label(message_.subspan(at, head));
    at += head;
  }
  if (!jumped) {
    offset_ = at;
  }
  return true;
}

bool DnsReader::name(WireName& out) {
  auto* end = out.text_.data();  // 255 bytes on the wire are at most 253 of text
  const auto* const begin = end;
  bool usable = true;
  const bool whole = walk_name([&](std::span<const std::uint8_t> label) {
    if (end != begin) {
      *end++ = '.';
    }
    for (const auto byte : label) {
      usable = usable && is_plain(byte);
      *end++ = lower(byte);
    }
  });
  out.size_ = static_cast<std::uint8_t>(end - begin);
  out.usable_ = usable;
  return whole;
}

}  // namespace pilotfish::resolver
