#pragma once

#include <optional>
#include <string_view>
#include <sys/types.h>

#include "core/clock.hpp"

namespace pilotfish::bench {

/// CPU time in user space and in the kernel.
struct CpuUse {
  Duration user{};
  Duration kernel{};
  [[nodiscard]] Duration sum() const { return user + kernel; }
};

/// CPU time of a process, user and system, all its threads; in steps of the kernel's clock tick
/// (10 ms as a rule), so that a measurement takes seconds. Empty where there is no such process.
[[nodiscard]] std::optional<Duration> cpu_time(pid_t process);
[[nodiscard]] std::optional<CpuUse> cpu_use(pid_t process);

/// The same from the text of `/proc/PID/stat`, in ticks. Pure.
struct CpuTicks {
  long user = 0;
  long kernel = 0;
};
[[nodiscard]] std::optional<CpuTicks> cpu_ticks(std::string_view stat);

}  // namespace pilotfish::bench
