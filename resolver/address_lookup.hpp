#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/asio.hpp"
#include "resolver/address_memory.hpp"
#include "resolver/cares_channel.hpp"

namespace pilotfish::resolver {

/// Until when a lookup of addresses waits.
struct AddressLimits {
  TimePoint patience;  ///< for a target's second family, where the first gave addresses
  TimePoint deadline;  ///< for anything
};

/// Looks up A and AAAA of each target at once, at most 16 questions of a family at a time, TCP
/// where UDP was cut; ends as AddressRound says. Targets in lower case, each once. `memory` is the
/// caller's from lookup to lookup (one at a time); it and the channels are shared with questions
/// that go on after this ended. Thread-safety: none; one executor.
[[nodiscard]] net::Awaitable<AddressesFound> look_up_addresses(
    net::Executor executor, NameTransport transport, std::shared_ptr<AddressMemory> memory,
    std::vector<std::string> targets, AddressLimits limits);

}  // namespace pilotfish::resolver
