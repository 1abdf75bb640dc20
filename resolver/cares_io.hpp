#pragma once

#include <cstdint>
#include <span>

struct ares_channeldata;

namespace pilotfish::resolver {

/// Lets a predicate see each UDP datagram before c-ares does.
class DatagramFilter {
 public:
  virtual ~DatagramFilter() = default;
  /// False: drop it and go on waiting.
  virtual bool admit(std::span<const std::uint8_t> datagram) = 0;
};

/// Makes a channel use our socket calls: non-blocking, close-on-exec, no SIGPIPE, and each datagram
/// passes `filter` first (which must outlive the channel).
void install_socket_calls(ares_channeldata* channel, DatagramFilter& filter);

}  // namespace pilotfish::resolver
