#include "metrics/process_stats.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace pilotfish::metrics {
namespace {

std::string slurp(const char* path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

/// When the machine booted, seconds since the epoch ("btime" of /proc/stat).
std::optional<double> boot_time() {
  std::ifstream in("/proc/stat");
  std::string line;
  while (std::getline(in, line)) {
    if (line.rfind("btime ", 0) == 0) {
      return std::stod(line.substr(6));
    }
  }
  return std::nullopt;
}

std::optional<double> count_descriptors() {
  std::error_code error;
  std::filesystem::directory_iterator entry("/proc/self/fd", error);
  if (error) {
    return std::nullopt;
  }
  double count = 0;
  for (const std::filesystem::directory_iterator end; entry != end; entry.increment(error)) {
    ++count;
  }
  return count - 1;  // the directory's own
}

}  // namespace

std::optional<ProcStat> parse_proc_stat(std::string_view text) {
  const auto name_end = text.rfind(')');
  if (name_end == std::string_view::npos) {
    return std::nullopt;
  }
  std::istringstream in{std::string(text.substr(name_end + 1))};
  std::string field;
  ProcStat stat;
  // proc(5): the state follows as field 3; starttime is 22, vsize 23, rss 24.
  for (int number = 3; number < 22; ++number) {
    in >> field;
  }
  in >> stat.start_ticks >> stat.virtual_bytes >> stat.resident_pages;
  return in.fail() ? std::nullopt : std::optional(stat);
}

ProcessStats read_process_stats() {
  ProcessStats stats;
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& t) {
      return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
    };
    stats.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    stats.max_descriptors = static_cast<double>(limit.rlim_cur);
  }
  if (const auto stat = parse_proc_stat(slurp("/proc/self/stat"))) {
    stats.virtual_bytes = stat->virtual_bytes;
    stats.resident_bytes = stat->resident_pages * static_cast<double>(sysconf(_SC_PAGESIZE));
    if (const auto boot = boot_time()) {
      stats.start_time_seconds =
          *boot + stat->start_ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
    }
  }
  stats.open_descriptors = count_descriptors();
  return stats;
}

}  // namespace pilotfish::metrics
