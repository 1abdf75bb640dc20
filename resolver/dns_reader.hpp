#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/ip_address.hpp"

namespace pilotfish::resolver {

/// A name as read from a message: lower-case dotted text. A name with a byte that would make the
/// text ambiguous or unprintable (a dot inside a label, controls, spaces, backslash, above 0x7e)
/// is kept as not `usable` and equals nothing.
struct WireName {
  std::string text;
  bool usable = true;
};

/// A cursor over one DNS message. Each call either succeeds whole or returns nothing and leaves the
/// cursor unspecified. Pure; the message must outlive it.
class DnsReader {
 public:
  explicit DnsReader(std::span<const std::uint8_t> message) : message_(message) {}

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] bool at_end() const { return offset_ == message_.size(); }
  [[nodiscard]] std::size_t left() const { return message_.size() - offset_; }

  [[nodiscard]] std::optional<std::uint16_t> u16();
  [[nodiscard]] std::optional<std::uint32_t> u32();
  [[nodiscard]] bool skip(std::size_t count);
  [[nodiscard]] std::optional<IpAddress> v4();
  [[nodiscard]] std::optional<IpAddress> v6();

  /// At most 255 bytes and 127 labels; compression pointers lead strictly backwards.
  [[nodiscard]] std::optional<WireName> name();

 private:
  std::span<const std::uint8_t> message_;
  std::size_t offset_ = 0;
};

}  // namespace pilotfish::resolver
