#pragma once

#include <filesystem>
#include <string>

namespace pilotfish::bench {

/// The executable of a real part (`consul`, `coredns`, `etcd`): what PILOTFISH_CONSUL and the like
/// name, else the one of the tested version in the cache, else the one on PATH. Throws Unavailable
/// where there is none, with how to get it.
[[nodiscard]] std::filesystem::path find_part(const std::string& name);

/// What a command prints, one line; empty where it cannot be run. Blocks for at most 5 s.
[[nodiscard]] std::string first_line_of(const std::filesystem::path& program,
                                        const std::string& argument);

}  // namespace pilotfish::bench
