#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/asio.hpp"
#include "resolver/cares_channel.hpp"
#include "resolver/srv_instances.hpp"

namespace pilotfish::resolver {

/// What looking targets up gave.
struct AddressesFound {
  AddressBook addresses;
  std::vector<std::string> unknown;  ///< the server says they have none
  std::vector<std::string> failed;   ///< no answer could be had
  std::optional<AskFault> fault;     ///< of the last failed one
  Duration ttl = Duration::max();    ///< the lowest of the addresses found
};

/// Looks up A and AAAA of each target, at most 32 questions at a time, TCP where UDP was cut.
[[nodiscard]] net::Awaitable<AddressesFound> look_up_addresses(net::Executor executor,
                                                               CaresChannel& udp, CaresChannel& tcp,
                                                               std::vector<std::string> targets,
                                                               TimePoint deadline);

}  // namespace pilotfish::resolver
