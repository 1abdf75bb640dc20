#pragma once

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "app/descriptor.hpp"
#include "core/endpoint.hpp"

namespace pilotfish::app {

/// A listener that cannot be had; `what()` names the setting, the address and the cause. Exit 69.
class BindError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// One listening address, with a socket per worker. Sockets do not block.
struct BoundListener {
  Endpoint endpoint;  ///< with the real port where 0 was asked for
  std::vector<Descriptor> sockets;
  bool inherited = false;  ///< whoever handed it down goes on listening after us
};

/// Binds `count` sockets to one address (SO_REUSEPORT among them) and listens. The first is bound
/// without SO_REUSEPORT, so that an address that anybody else holds is refused, also where the
/// holder would share it. `setting` is what messages start with: "upstreams.billing.listen".
/// Throws BindError.
[[nodiscard]] BoundListener bind_listener(const std::string& setting, const Endpoint& where,
                                          std::uint32_t count);

/// What a failed bind means, for people. Pure.
[[nodiscard]] std::string bind_error_text(const std::string& setting, const std::string& where,
                                          int error);

/// The local address of a listening TCP socket. Throws BindError where it is none.
[[nodiscard]] Endpoint listening_endpoint(const std::string& setting, const std::string& where,
                                          int descriptor);

}  // namespace pilotfish::app
