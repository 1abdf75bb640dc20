#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/ip_address.hpp"

namespace pilotfish::resolver {

/// A name as read from a message: lower-case dotted text, without an allocation. A name with a byte
/// that would make the text ambiguous or unprintable (a dot inside a label, controls, spaces,
/// backslash, above 0x7e) is kept as not `usable` and equals nothing.
class WireName {
 public:
  WireName() {}  // NOLINT(modernize-use-equals-default): the text stays unwritten until it is read

  [[nodiscard]] std::string_view text() const { return {text_.data(), size_}; }
  [[nodiscard]] bool usable() const { return usable_; }

 private:
  friend class DnsReader;

  std::array<char, 255> text_;
  std::uint8_t size_ = 0;
  bool usable_ = true;
};

/// A cursor over one DNS message. Each call either succeeds whole or returns nothing and leaves the
/// cursor unspecified. Pure; the message must outlive it.
class DnsReader {
 public:
  explicit DnsReader(std::span<const std::uint8_t> message) : message_(message) {}

  [[nodiscard]] std::size_t offset() const { return offset_; }
  [[nodiscard]] bool at_end() const { return offset_ == message_.size(); }
  [[nodiscard]] std::size_t left() const { return message_.size() - offset_; }

  [[nodiscard]] std::optional<std::uint16_t> u16() {
    if (left() < 2) {
      return std::nullopt;
    }
    const auto high = message_[offset_];
    const auto low = message_[offset_ + 1];
    offset_ += 2;
    return static_cast<std::uint16_t>((high << 8U) | low);
  }

  [[nodiscard]] std::optional<std::uint32_t> u32() {
    const auto high = u16();
    const auto low = u16();
    if (!high || !low) {
      return std::nullopt;
    }
    return (std::uint32_t{*high} << 16U) | *low;
  }

  [[nodiscard]] bool skip(std::size_t count) {
    if (left() < count) {
      return false;
    }
    offset_ += count;
    return true;
  }

  [[nodiscard]] std::optional<IpAddress> v4();
  [[nodiscard]] std::optional<IpAddress> v6();

  /// At most 255 bytes and 127 labels; compression pointers lead strictly backwards.
  [[nodiscard]] bool name(WireName& out);

 private:
  /// Walks a name; `label` sees each label's bytes.
  template <class Label>
  bool walk_name(Label label);

  std::span<const std::uint8_t> message_;
  std::size_t offset_ = 0;
};

}  // namespace pilotfish::resolver
