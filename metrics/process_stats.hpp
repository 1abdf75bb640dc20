#pragma once

#include <optional>
#include <string_view>

namespace pilotfish::metrics {

/// The process_* numbers as Prometheus' client libraries export them. What the kernel does not
/// tell (no /proc, no free descriptor to read it) is empty and not exported.
struct ProcessStats {
  std::optional<double> cpu_seconds;
  std::optional<double> resident_bytes;
  std::optional<double> virtual_bytes;
  std::optional<double> open_descriptors;
  std::optional<double> max_descriptors;
  std::optional<double> start_time_seconds;  ///< since the epoch
};

/// Reads /proc/self, getrusage and getrlimit. Thread-safety: any thread.
[[nodiscard]] ProcessStats read_process_stats();

/// What /proc/self/stat has, of which the bridge needs three fields. Pure.
struct ProcStat {
  double start_ticks = 0;  ///< since boot
  double virtual_bytes = 0;
  double resident_pages = 0;
};
/// The name of the program may hold spaces and parentheses; counted from the last ')'.
[[nodiscard]] std::optional<ProcStat> parse_proc_stat(std::string_view text);

}  // namespace pilotfish::metrics
