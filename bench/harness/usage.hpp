#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include "bench/harness/cpu_time.hpp"

namespace pilotfish::bench {

/// What a process and all that it started use: some proxies are one process, some are several.

/// The process and its descendants; empty where there is none of that number.
[[nodiscard]] std::vector<pid_t> process_tree(pid_t process);

/// CPU time of the tree from `/proc/PID/stat`.
[[nodiscard]] std::optional<CpuUse> tree_cpu(pid_t process);

/// Memory of the tree in bytes, from `/proc/PID/smaps_rollup`.
struct MemoryUse {
  std::uint64_t resident = 0;   ///< with the program's text and libraries
  std::uint64_t anonymous = 0;  ///< heap and stacks: what it has asked for and touched
};
[[nodiscard]] std::optional<MemoryUse> tree_memory(pid_t process);

/// From the text of `smaps_rollup`. Pure.
[[nodiscard]] std::optional<MemoryUse> parse_smaps_rollup(std::string_view text);

}  // namespace pilotfish::bench
