#include "bench/lab/compare_command.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bench/harness/unavailable.hpp"
#include "bench/lab/display.hpp"
#include "bench/report/compare.hpp"
#include "bench/report/json.hpp"

namespace pilotfish::bench {
namespace {

RunResult read_run(const std::string& named) {
  std::filesystem::path path(named);
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) path /= "result.json";
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file || file.bad()) {
    const std::string why = errno == 0 ? "cannot be read" : std::strerror(errno);
    throw Unavailable(path.string() + ": " + why + "; compare takes two results of bench, each a " +
                      "result.json or its folder");
  }
  auto read = from_json(text.str());
  if (!read.result) throw Unavailable(path.string() + ": " + read.error);
  return std::move(*read.result);
}

}  // namespace

int run_compare(const std::string& before, const std::string& after) {
  const auto a = read_run(before);
  const auto b = read_run(after);
  const bool colours = stdout_colours();
  std::string text;
  for (const auto& line : comparison_lines(compare(a, b), a, b)) {
    text += paint(line, SIZE_MAX, colours) + "\n";
  }
  return write_out(text) ? 0 : 1;
}

}  // namespace pilotfish::bench
