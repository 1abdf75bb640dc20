#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/ip_address.hpp"

namespace pilotfish::test {

using Bytes = std::vector<std::uint8_t>;

/// Writes DNS messages by hand, right or wrong, for tests. Names are dotted text; sections are in
/// the order of the calls, so call answers before additional records. Owners and targets are
/// written whole unless compress() was called, which lets owners equal to the question point to it.
class DnsBuilder {
 public:
  DnsBuilder(std::uint16_t id, std::string question, std::uint16_t type);

  DnsBuilder& flags(std::uint16_t flags);  ///< default 0x8580: an authoritative answer
  DnsBuilder& rcode(std::uint8_t rcode);
  DnsBuilder& truncated();
  DnsBuilder& compress();
  DnsBuilder& klass(std::uint16_t klass);  ///< of the records that follow
  DnsBuilder& ttl(std::uint32_t ttl);      ///< of the records that follow

  DnsBuilder& srv(std::string_view owner, std::uint16_t priority, std::uint16_t weight,
                  std::uint16_t port, std::string_view target);
  DnsBuilder& cname(std::string_view owner, std::string_view target);
  DnsBuilder& address(std::string_view owner, const IpAddress& address);
  /// The records from here on count as additional ones.
  DnsBuilder& additional();
  DnsBuilder& opt(std::uint16_t size = 4096, std::uint8_t extended_rcode = 0);
  /// A record of any data, its length as given (which may lie).
  DnsBuilder& record(std::string_view owner, std::uint16_t type, const Bytes& data,
                     int length = -1);

  [[nodiscard]] Bytes build() const;
  [[nodiscard]] static Bytes name(std::string_view text);

 private:
  void begin(std::string_view owner, std::uint16_t type);
  void end(std::size_t data_at);
  void u16(std::uint16_t value);
  std::size_t open_data();

  std::uint16_t id_;
  std::string question_;
  std::uint16_t type_;
  std::uint16_t flags_ = 0x8580;
  std::uint16_t klass_ = 1;
  std::uint32_t ttl_ = 0;
  bool compress_ = false;
  bool in_additional_ = false;
  std::uint16_t answers_ = 0;
  std::uint16_t additional_ = 0;
  Bytes records_;
};

}  // namespace pilotfish::test
