#include "bench/scenarios/machine.hpp"

#include <array>
#include <cstdlib>
#include <ctime>
#include <fmt/core.h>
#include <fstream>
#include <sys/utsname.h>
#include <unistd.h>

#include "app/build_info.hpp"

namespace pilotfish::bench {
namespace {

/// The text after `key` and a colon in a file of /proc.
std::string field(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(key)) continue;
    const auto colon = line.find(':');
    const auto from = line.find_first_not_of(" \t", colon + 1);
    if (colon != std::string::npos && from != std::string::npos) return line.substr(from);
  }
  return {};
}

}  // namespace

MachineInfo this_machine() {
  MachineInfo machine;
  utsname system{};
  if (::uname(&system) == 0) {
    machine.kernel = fmt::format("{} {}", static_cast<const char*>(system.sysname),
                                 static_cast<const char*>(system.release));
  }
  machine.processor = field("/proc/cpuinfo", "model name");
  if (machine.processor.empty()) machine.processor = static_cast<const char*>(system.machine);
  machine.cores = static_cast<int>(::sysconf(_SC_NPROCESSORS_ONLN));
  machine.memory_bytes =
      std::strtoull(field("/proc/meminfo", "MemTotal").c_str(), nullptr, 10) * 1024;
  std::array<double, 1> load{};
  if (::getloadavg(load.data(), 1) == 1) machine.load_before = load[0];
  return machine;
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec);
}

std::string lab_version() {
  const auto build = app::build_info();
  return fmt::format("{} ({}, {})", build.version, build.commit, build.build_type);
}

}  // namespace pilotfish::bench
