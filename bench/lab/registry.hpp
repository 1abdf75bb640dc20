#pragma once

#include <cstdint>
#include <string>

namespace pilotfish::bench {

struct RegistryOptions {
  std::uint16_t port = 8600;  ///< 0: any that is free
  std::string file;           ///< JSON to begin with; may be empty
  bool silent_trim = false;   ///< trim as Consul does, without TC
};

/// The embedded registry as a program: says where it listens, obeys the lines of standard input
/// (`registry_words.hpp`), goes on after their end until SIGINT or SIGTERM. Exit code: 0, 78 where
/// the file is wrong. Throws boost::system::system_error where the port is taken.
int run_registry(const RegistryOptions& options);

}  // namespace pilotfish::bench
