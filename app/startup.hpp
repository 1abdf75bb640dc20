#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "app/inherited.hpp"
#include "app/reload_plan.hpp"
#include "app/state_lock.hpp"
#include "app/workers.hpp"
#include "config/load.hpp"
#include "config/root_options.hpp"

namespace pilotfish::app {

/// Loads a file; prints every problem and gives nothing where there is one.
[[nodiscard]] std::optional<config::RootOptions> load_or_print(const std::string& file,
                                                               std::ostream& err);

/// Every address of a configuration, bound before anything else starts; and state_dir, taken.
struct Bound {
  std::shared_ptr<const StateLock> state;  ///< nothing where it cannot be locked, or there is none
  std::optional<BoundListener> admin;      ///< nothing where it is off
  std::vector<UpstreamListener> upstreams;
};
/// Throws BindError at the first that cannot be had, state_dir among them where another process
/// uses it.
[[nodiscard]] Bound bind_all(const config::RootOptions& options,
                             const config::Environment& environment);

/// Takes `state_dir`; nothing where there is none, where it cannot be locked (which is logged when
/// it is read), or where the disk does not answer within 2 s. Throws BindError where another
/// process has it.
[[nodiscard]] std::shared_ptr<const StateLock> take_state_dir(const std::string& directory);

/// Binds one place of a configuration: several listeners where systemd handed several sockets down.
/// Throws BindError.
[[nodiscard]] std::vector<UpstreamListener> bind_place(const Place& place, std::uint32_t workers,
                                                       const InheritedSockets& inherited);

/// The addresses per upstream as the start screen shows them.
[[nodiscard]] std::vector<std::string> listen_texts(const config::RootOptions& options,
                                                    const Bound& bound);

struct Descriptors {
  std::uint64_t allowed = 0;
  std::uint64_t open = 0;
};
[[nodiscard]] Descriptors count_descriptors();
/// How many client connections they carry, each with one to an instance, beside what the process
/// itself may need: one at least. Pure.
[[nodiscard]] std::uint32_t clients_carried(const Descriptors& descriptors, std::uint32_t workers);

/// Raises the soft limit of descriptors to the hard one; gives what is allowed then.
std::uint64_t raise_descriptor_limit();

}  // namespace pilotfish::app
