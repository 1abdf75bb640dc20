#include "bench/harness/parts.hpp"

#include <cstdlib>
#include <optional>
#include <sstream>
#include <string_view>
#include <thread>
#include <unistd.h>
#include <vector>

#include "bench/harness/process.hpp"
#include "bench/harness/temp_dir.hpp"
#include "bench/harness/unavailable.hpp"

namespace pilotfish::bench {
namespace {

namespace fs = std::filesystem;

bool runs(const fs::path& path) {
  return ::access(path.c_str(), X_OK) == 0 && fs::is_regular_file(path);
}

std::string environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

/// `consul-1.21.0` in the cache; the newest where there are several.
std::optional<fs::path> cached(const std::string& name) {
  auto folder = environment("PILOTFISH_CACHE");
  if (folder.empty()) folder = environment("HOME") + "/.cache/pilotfish";
  std::optional<fs::path> found;
  std::error_code ec;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "bin", ec)) {
    const bool right = entry.path().filename().string().starts_with(name + "-");
    if (right && runs(entry.path()) && (!found || *found < entry.path())) found = entry.path();
  }
  return found;
}

std::optional<fs::path> on_path(const std::string& name) {
  std::istringstream folders(environment("PATH") + ":/usr/sbin:/sbin");
  for (std::string folder; std::getline(folders, folder, ':');) {
    if (!folder.empty() && runs(fs::path(folder) / name)) return fs::path(folder) / name;
  }
  return std::nullopt;
}

}  // namespace

fs::path find_part(const std::string& name) {
  std::string variable = "PILOTFISH_";
  for (const char c : name) variable += static_cast<char>(c >= 'a' && c <= 'z' ? c - 32 : c);
  if (const auto named = environment(variable); !named.empty()) {
    if (runs(named)) return fs::absolute(named);
    throw Unavailable(variable + " names " + named + ", which cannot be executed");
  }
  if (const auto found = cached(name)) return *found;
  if (const auto found = on_path(name)) return *found;
  throw Unavailable(name + " is missing: ./dev parts gets it, or set " + variable +
                    " to its executable");
}

std::string first_line_of(const fs::path& program, const std::string& argument) {
  const TempDir directory("pilotfish-part");
  ChildProcess child({program.string(), argument}, directory.path() / "output");
  const auto until = Clock::now() + std::chrono::seconds(5);
  while (!child.exit_code() && Clock::now() < until) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const auto text = child.output_tail(4000);
  return text.substr(0, text.find('\n'));
}

}  // namespace pilotfish::bench
