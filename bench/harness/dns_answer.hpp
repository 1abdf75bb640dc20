#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace pilotfish::bench {

/// The client's half of the DNS that probes need: a question for SRV records, and from the answer
/// the ports, by which the harness tells its instances apart. Pure; independent of the resolver.

/// `edns_size` 0: without EDNS.
[[nodiscard]] std::vector<std::uint8_t> srv_question(std::uint16_t id, std::string_view name,
                                                     std::uint16_t edns_size);

struct SrvAnswer {
  std::uint16_t id = 0;
  unsigned rcode = 0;
  bool truncated = false;
  std::vector<std::uint16_t> ports;  ///< as listed
};

/// Empty where the bytes are no whole answer.
[[nodiscard]] std::optional<SrvAnswer> parse_srv_answer(std::span<const std::uint8_t> bytes);

}  // namespace pilotfish::bench
