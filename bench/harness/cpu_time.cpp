#include "bench/harness/cpu_time.hpp"

#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace pilotfish::bench {

std::optional<CpuTicks> cpu_ticks(std::string_view stat) {
  // The name, in parentheses, may hold anything; utime and stime are fields 14 and 15.
  const auto name_end = stat.rfind(')');
  if (name_end == std::string_view::npos) return std::nullopt;
  std::istringstream rest{std::string(stat.substr(name_end + 1))};
  std::string skipped;
  for (int field = 3; field < 14; ++field) rest >> skipped;
  CpuTicks ticks;
  if (!(rest >> ticks.user >> ticks.kernel)) return std::nullopt;
  return ticks;
}

std::optional<CpuUse> cpu_use(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::ostringstream text;
  text << file.rdbuf();
  const auto ticks = cpu_ticks(text.str());
  if (!file || !ticks) return std::nullopt;
  const auto tick = std::chrono::nanoseconds(1'000'000'000L / ::sysconf(_SC_CLK_TCK));
  return CpuUse{ticks->user * tick, ticks->kernel * tick};
}

std::optional<Duration> cpu_time(pid_t process) {
  const auto use = cpu_use(process);
  return use ? std::optional(use->sum()) : std::nullopt;
}

}  // namespace pilotfish::bench
