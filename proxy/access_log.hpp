#pragma once

#include <cstdint>
#include <string_view>

#include "core/clock.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::proxy {

/// One finished request (or TCP connection), as views that live for the call alone.
struct AccessRecord {
  std::string_view upstream;
  Endpoint client;
  std::string_view method;  ///< empty for TCP
  std::string_view target;
  int status = 0;               ///< what the application got; 0 for TCP
  std::uint64_t bytes_in = 0;   ///< body bytes from the application (TCP: all)
  std::uint64_t bytes_out = 0;  ///< body bytes to the application (TCP: all)
  Duration duration{};
  std::string_view instance;  ///< of the last try; empty where none was picked
  int tier = -1;
  std::string_view tier_name;
  std::string_view tier_reason;  ///< why that tier serves
  std::uint32_t tries = 0;
  std::string_view error;  ///< Proxy-Status error name, or how it was cut; empty where fine
};

/// Where access records go. Thread-safety: log() may be called from any worker; it never blocks:
/// where the sink is full or stuck, lines are dropped and counted.
class AccessLog {
 public:
  virtual ~AccessLog() = default;
  virtual void log(const AccessRecord& record) = 0;
};

}  // namespace pilotfish::proxy
