#include "bench/harness/usage.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

#include "bench/harness/cpu_time.hpp"

namespace pilotfish::bench {
namespace {

std::string folder_of(pid_t process) {
  return "/proc/" + std::to_string(process);
}

void add_descendants(pid_t process, std::vector<pid_t>& out) {
  std::error_code ec;
  for (const auto& task : std::filesystem::directory_iterator(folder_of(process) + "/task", ec)) {
    std::ifstream file(task.path() / "children");
    for (pid_t child = 0; file >> child;) {
      out.push_back(child);
      add_descendants(child, out);
    }
  }
}

}  // namespace

std::vector<pid_t> process_tree(pid_t process) {
  std::vector<pid_t> result;
  std::error_code ec;
  if (!std::filesystem::exists(folder_of(process), ec)) return result;
  result.push_back(process);
  add_descendants(process, result);
  return result;
}

std::optional<CpuUse> tree_cpu(pid_t process) {
  std::optional<CpuUse> sum;
  for (const pid_t one : process_tree(process)) {
    const auto use = cpu_use(one);
    if (!use) continue;
    if (!sum) sum.emplace();
    sum->user += use->user;
    sum->kernel += use->kernel;
  }
  return sum;
}

std::optional<MemoryUse> parse_smaps_rollup(std::string_view text) {
  std::istringstream in{std::string(text)};
  MemoryUse use;
  bool found = false;
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string key;
    std::uint64_t kib = 0;
    if (!(words >> key >> kib)) continue;
    if (key == "Rss:") {
      use.resident = kib * 1024;
      found = true;
    } else if (key == "Anonymous:") {
      use.anonymous = kib * 1024;
    }
  }
  return found ? std::optional(use) : std::nullopt;
}

std::optional<MemoryUse> tree_memory(pid_t process) {
  std::optional<MemoryUse> sum;
  for (const pid_t one : process_tree(process)) {
    std::ifstream file(folder_of(one) + "/smaps_rollup");
    std::ostringstream text;
    text << file.rdbuf();
    const auto use = parse_smaps_rollup(text.str());
    if (!use) continue;
    if (!sum) sum.emplace();
    sum->resident += use->resident;
    sum->anonymous += use->anonymous;
  }
  return sum;
}

}  // namespace pilotfish::bench
